//! The step of a lock that is taken on its own CPU: interrupts are off from before it is taken until it is free again.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::super::{LockWords, locate};
use super::cpu::{current_cpu, thread_pointer};
use super::interrupts;

/// Whether nothing but restarts and barriers orders this step, and the store that frees, with what other CPUs do. Nobody sleeps,
/// so nobody's store is waited for.
pub(crate) const FAST_PATH_IS_PLAIN: bool = true;

/// Takes this CPU's copy if it is free. Returns the copy, and who was found: 0 where it is taken now, and interrupts are off
/// until [`freed`].
///
/// # Safety
///
/// `place` is the per-CPU pointer of a live lock's words.
#[inline(always)]
pub(crate) unsafe fn acquire(place: *mut LockWords, _: u64) -> (*mut LockWords, u64) {
    interrupts::enter();
    let copy = locate(place.cast(), current_cpu()).cast::<LockWords>();
    // SAFETY: a live copy of the caller's lock; its words are atomics.
    let words = unsafe { &*copy };
    let found = words.owner.load(Acquire) | words.claimer.load(Relaxed);
    if found == 0 {
        // The caller may have been on another CPU when it asked who it is.
        words.owner.store(thread_pointer() as u64, Release);
    } else {
        // SAFETY: entered above.
        unsafe { interrupts::leave() };
    }
    (copy, found)
}

/// Ends what [`acquire`] has begun, once the copy is free.
///
/// # Safety
///
/// The caller has acquired a copy, and has freed it.
#[inline(always)]
pub(crate) unsafe fn freed() {
    // SAFETY: entered by `acquire`, on this CPU, as interrupts have been off since.
    unsafe { interrupts::leave() };
}
