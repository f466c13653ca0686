//! Objects that were freed where the allocator could not be waited for: by a handler that has interrupted it, or beside a fork.
//!
//! ```text
//!  FIRST ──▶ object ──▶ object ──▶ none      the first word of each, in the first CPU's unit, says which is next
//! ```
//!
//! The next call of the allocator frees them. Nobody else uses an object that its owner has given up, so the list needs no memory, and
//! a handler adds to it in one step.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::area::Stamp;
use super::global::Global;
use super::pointer::PerCpuPtr;
use crate::chunk::{FreeError, GRANULE};
use crate::cpu::possible_cpus;

/// The granule of the last object that was added, plus one; 0 for none.
static FIRST: AtomicU32 = AtomicU32::new(0);

/// Has the object freed later; false where a granule's number does not fit.
///
/// Context: any, also an NMI's.
///
/// # Safety
///
/// The object is alive, and its owner's last use is over.
#[cold]
pub(crate) unsafe fn postpone(object: PerCpuPtr<u8>) -> bool {
    let (Ok(granule), Some(link)) = (u32::try_from(object.offset() / GRANULE + 1), link(object)) else { return false };
    let mut next = FIRST.load(Relaxed);
    loop {
        // SAFETY: the first granule of an object that is nobody's but this list's.
        unsafe { (*link).store(next, Relaxed) };
        match FIRST.compare_exchange_weak(next, granule, Release, Relaxed) {
            Ok(_) => return true,
            Err(other) => next = other,
        }
    }
}

/// Frees what was postponed.
///
/// Context: whoever may free, and has not interrupted the allocator.
#[inline]
pub(super) fn free_all(global: &Global) {
    if FIRST.load(Relaxed) != 0 {
        free_list(global);
    }
}

#[cold]
fn free_list(global: &Global) {
    // The whole of it: what is added meanwhile begins a new one.
    let mut granule = FIRST.swap(0, Acquire);
    while let Some(before) = granule.checked_sub(1) {
        let offset = before as usize * GRANULE;
        let object = PerCpuPtr::from_offset(offset, Stamp::UNKNOWN);
        // SAFETY: written by `postpone`, and the object is this list's until it is freed.
        granule = link(object).map_or(0, |link| unsafe { (*link).load(Relaxed) });
        match global.free(offset, Stamp::UNKNOWN) {
            Ok(()) => {}
            // SAFETY: not freed, and nobody else's.
            Err(FreeError::Busy { .. }) => _ = unsafe { postpone(object) },
            // It has been freed twice, and the list has it twice. There is nobody to tell, and no end to wait for.
            Err(_) => return,
        }
    }
}

/// Where an object says which is next.
fn link(object: PerCpuPtr<u8>) -> Option<*const AtomicU32> {
    possible_cpus().next().map(|first| object.per_cpu_ptr(first).cast_const().cast())
}
