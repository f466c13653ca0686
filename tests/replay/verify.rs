//! A pass in which each object is checked.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

use percpu_rt::chunk::{AllocError, Cache};
use percpu_tests::ledger::Ledger;
use percpu_tests::units::Pages;

use crate::trace::{Event, Trace};
use crate::{PAGE_SIZE, UNIT_SIZE, flags, fresh, units};

/// Checks that no objects overlap, that each is aligned and zero on every CPU, and that it is as it was left when it is freed, or
/// at the end; and that what is refused has no room, or, if it is atomic, none that is populated, or is asked for wrongly.
/// Says at which event one is not.
pub(crate) fn verify(trace: &Trace, cpus: usize) -> Result<(), String> {
    let number = Cell::new(0);
    // The ledger asserts, as the tests want it; here what it says is the error, without the thread and the place.
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(|| check(trace, cpus, &number)));
    drop(panic::take_hook());
    result.map_err(|payload| {
        let text = payload.downcast::<String>().map(|text| *text);
        let text = text.or_else(|payload| payload.downcast::<&str>().map(|text| (*text).to_owned()));
        let text = text.unwrap_or_else(|_| "a panic".to_owned());
        if number.get() > trace.events.len() {
            format!("at the end: {text}")
        } else {
            format!("event {number}: {text}", number = number.get())
        }
    })
}

/// Keeps the number of the event in `number`, from 1; one more than there are at the end.
///
/// # Panics
///
/// Where an object is not as it has to be.
fn check(trace: &Trace, cpus: usize, number: &Cell<usize>) {
    let units = units(cpus, Pages::Checked);
    // SAFETY: the units are this function's.
    let allocator = unsafe { fresh(&units) };
    let mut cache = Cache::new(&allocator);
    let mut ledger = Ledger::new(std::slice::from_ref(&(0..UNIT_SIZE)));
    let mut offsets = vec![None; trace.objects];
    for (event, at) in trace.events.iter().zip(1..) {
        number.set(at);
        match *event {
            Event::Alloc { object, size, align, atomic } => {
                let (size, align) = (size as usize, align as usize);
                match cache.alloc(size, align, flags(atomic)) {
                    Ok(offset) => {
                        ledger.take(&units, offset, size, align);
                        offsets[object as usize] = Some(offset);
                    }
                    Err(AllocError::ZeroSize) if size == 0 => {}
                    Err(AllocError::BadAlign { .. }) if !align.is_power_of_two() || align > PAGE_SIZE => {}
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
    number.set(trace.events.len() + 1);
    while let Some(&offset) = ledger.offsets().last() {
        ledger.give(&units, offset);
    }
}
