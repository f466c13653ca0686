//! The words of one copy of a lock, which the backends change.

use crate::primitive::{AtomicU32, AtomicU64};

/// In [`LockWords::state`]: a thread has the value.
pub(crate) const HELD: u32 = 1;
/// A thread sleeps until the state changes.
pub(crate) const WAITERS: u32 = 2;
/// A thread wants the value from another CPU, or has it: lockers of this CPU sleep.
pub(crate) const CLAIM: u32 = 4;

/// The words of one copy of a lock.
///
/// `state` goes from 0 to [`HELD`] on the copy's own CPU alone, by [`acquire`](super::acquire). It is always accessed
/// as 32 bits: a wider load behind a narrow store stalls.
#[repr(C)]
#[cfg_attr(loom, derive(Default))]
pub(crate) struct LockWords {
    /// [`HELD`], [`WAITERS`] and [`CLAIM`], or 0.
    pub(crate) state: AtomicU32,
    /// 1 while somebody sleeps for `claimer` to become 0.
    pub(crate) claim_waiters: AtomicU32,
    /// The thread that holds the copy; has a meaning while the copy is held, and is no former holder then.
    pub(crate) owner: AtomicU64,
    /// The thread that claims the copy from another CPU, or 0.
    pub(crate) claimer: AtomicU64,
}

#[cfg(not(loom))]
impl LockWords {
    /// The words of a free copy.
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicU32::new(0),
            claim_waiters: AtomicU32::new(0),
            owner: AtomicU64::new(0),
            claimer: AtomicU64::new(0),
        }
    }
}
