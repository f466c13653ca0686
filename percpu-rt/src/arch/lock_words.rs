//! The words of one copy of a lock, which the backends change.

use crate::primitive::{AtomicU32, AtomicU64};

/// The words of one copy of a lock.
///
/// The copy is free to the lockers of its CPU while `owner` and `claimer` are 0. `owner` goes from 0 to a locker on the copy's
/// own CPU alone, by [`acquire`](super::acquire), or to a claimer whose claim is in force; while it is not 0, only the thread
/// that it names writes it.
#[repr(C)]
#[cfg_attr(loom, derive(Default))]
pub(crate) struct LockWords {
    /// The thread that has the value, or 0.
    pub(crate) owner: AtomicU64,
    /// The thread that wants the value from another CPU, or has it, or 0: lockers of this CPU sleep.
    pub(crate) claimer: AtomicU64,
    /// Odd while somebody sleeps, or is about to, until the copy is freed; the next number when they are woken.
    pub(crate) sleepers: AtomicU32,
}

#[cfg(not(loom))]
impl LockWords {
    /// The words of a free copy.
    pub(crate) const fn new() -> Self {
        Self { owner: AtomicU64::new(0), claimer: AtomicU64::new(0), sleepers: AtomicU32::new(0) }
    }
}
