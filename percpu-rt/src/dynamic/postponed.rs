//! Objects that were freed where the allocator could not be waited for: by a handler that has interrupted it, or beside a fork.
//!
//! ```text
//!  a list ──▶ object ──▶ object ──▶ none      the first word of each, in the first CPU's unit, says which is next
//! ```
//!
//! A later call of the allocator frees them. Nobody else uses an object that its owner has given up, so a list needs no memory, and
//! a handler adds to it in one step. It is taken and freed under the lock of its area, which a fork waits for: a child finds each
//! object in its list or free.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::area::Stamp;
use super::pointer::PerCpuPtr;
use crate::chunk::{FreeError, GRANULE};
use crate::cpu::possible_cpus;

/// The objects of one area.
pub(super) struct Postponed {
    /// The granule of the object that was added last, plus one; 0 for none.
    first: AtomicU32,
}

impl Postponed {
    pub(super) const fn new() -> Self {
        Self { first: AtomicU32::new(0) }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.load(Relaxed) == 0
    }

    /// Adds an object.
    ///
    /// Context: any, also an NMI's.
    ///
    /// # Errors
    ///
    /// [`FreeError::Busy`] where a granule's number does not fit; [`FreeError::NotAllocated`] where it was added last.
    ///
    /// # Safety
    ///
    /// The object is alive and of this area, and its owner's last use is over.
    #[cold]
    pub(super) unsafe fn add(&self, object: PerCpuPtr<u8>) -> Result<(), FreeError> {
        let offset = object.offset();
        let (Ok(granule), Some(link)) = (u32::try_from(offset / GRANULE + 1), link(object)) else {
            return Err(FreeError::Busy { offset });
        };
        let mut next = self.first.load(Relaxed);
        loop {
            // It would be its own next, and those behind it would be lost.
            if next == granule {
                return Err(FreeError::NotAllocated { offset });
            }
            // SAFETY: the first granule of an object that is nobody's but this list's.
            unsafe { (*link).store(next, Relaxed) };
            match self.first.compare_exchange_weak(next, granule, Release, Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => next = other,
            }
        }
    }

    /// Has `free` free all; to be called under the area's lock. What is added meanwhile begins a new list.
    #[cold]
    pub(super) fn free_all(&self, mut free: impl FnMut(usize) -> Result<(), FreeError>) {
        let mut granule = self.first.swap(0, Acquire);
        while let Some(before) = granule.checked_sub(1) {
            let offset = before as usize * GRANULE;
            // SAFETY: written by `add`, and the object is this list's until it is freed.
            granule =
                link(PerCpuPtr::from_offset(offset, Stamp::UNKNOWN)).map_or(0, |link| unsafe { (*link).load(Relaxed) });
            match free(offset) {
                Ok(()) => {}
                // Something was written behind it: it stays, and the others go.
                #[cfg(feature = "checked")]
                Err(FreeError::Checked(crate::chunk::checked::CheckError::Overrun { .. })) => {}
                // It has been freed twice, and the list has it twice. There is nobody to tell, and no end to wait for.
                Err(_) => return,
            }
        }
    }
}

/// Where an object says which is next.
fn link(object: PerCpuPtr<u8>) -> Option<*const AtomicU32> {
    possible_cpus().next().map(|first| object.per_cpu_ptr(first).cast_const().cast())
}
