//! A pass in which each object is checked.

use percpu_rt::chunk::Cache;
use percpu_tests::ledger::Ledger;
use percpu_tests::units::Pages;

use crate::trace::{Event, Trace};
use crate::{UNIT_SIZE, flags, fresh, units};

/// Checks that no objects overlap, that each is aligned and zero on every CPU, and that it is as it was left when it is freed, or
/// at the end; and that what is refused has no room, or, if it is atomic, none that is populated.
///
/// # Panics
///
/// Where one is not.
pub(crate) fn verify(trace: &Trace, cpus: usize) {
    let units = units(cpus, Pages::Checked);
    // SAFETY: the units are this function's.
    let allocator = unsafe { fresh(&units) };
    let mut cache = Cache::new(&allocator);
    let mut ledger = Ledger::new(std::slice::from_ref(&(0..UNIT_SIZE)));
    let mut offsets = vec![None; trace.objects];
    for event in &trace.events {
        match *event {
            Event::Alloc { object, size, align, atomic } => {
                let (size, align) = (size as usize, align as usize);
                match cache.alloc(size, align, flags(atomic)) {
                    Ok(offset) => {
                        ledger.take(&units, offset, size, align);
                        offsets[object as usize] = Some(offset);
                    }
                    Err(error) if atomic => {
                        assert!(!ledger.has_room_among(units.populated_runs(), size, align), "{error}");
                    }
                    Err(error) => assert!(!ledger.has_room(size, align), "{error}"),
                }
            }
            Event::Free { object, size } => {
                if let Some(offset) = offsets[object as usize] {
                    ledger.give(&units, offset);
                    // SAFETY: allocated with this size, and the trace frees it once.
                    unsafe { cache.free(offset, size as usize) }.expect("a live object");
                }
            }
        }
    }
    while let Some(&offset) = ledger.offsets().last() {
        ledger.give(&units, offset);
    }
}
