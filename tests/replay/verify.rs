//! A pass in which each object is checked.

use percpu_tests::model::Model;
use percpu_tests::units::{Pages, Units};

use crate::trace::{Event, Trace};
use crate::{PAGE_SIZE, UNIT_SIZE, flags};

/// Checks that no objects overlap, that each is aligned and zero on every CPU, and that it is as it was left when it is freed.
///
/// # Panics
///
/// Where one is not.
pub(crate) fn verify(trace: &Trace, cpus: usize) {
    let units = Units::new(cpus, UNIT_SIZE, PAGE_SIZE, Pages::Checked);
    let mut model = Model::new(units, PAGE_SIZE, std::slice::from_ref(&(0..UNIT_SIZE)), false);
    let mut offsets = vec![None; trace.objects];
    for event in &trace.events {
        match *event {
            Event::Alloc { object, size, align, atomic } => {
                offsets[object as usize] = model.alloc(size as usize, align as usize, flags(atomic)).ok();
            }
            Event::Free { object, .. } => {
                if let Some(offset) = offsets[object as usize] {
                    model.free(offset);
                    model.allocator.balance();
                }
            }
        }
    }
    model.finish();
}
