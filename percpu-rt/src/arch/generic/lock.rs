//! The step of a lock that is taken on its own CPU.
//!
//! By an atomic, so that it does not matter whether it still is its own.

use core::sync::atomic::Ordering::{Acquire, Relaxed};

use super::super::{LockWords, locate};
use super::cpu::current_cpu;

/// Whether nothing but restarts and barriers orders this step, and the store that frees, with what other CPUs do.
pub(crate) const FAST_PATH_IS_PLAIN: bool = false;

/// Takes this CPU's copy for `owner` if it is free. Returns the copy, and who was found: 0 where it is taken now.
///
/// # Safety
///
/// `place` is the per-CPU pointer of a live lock's words.
#[inline]
pub(crate) unsafe fn acquire(place: *mut LockWords, owner: u64) -> (*mut LockWords, u64) {
    let copy = locate(place.cast(), current_cpu()).cast::<LockWords>();
    // SAFETY: a copy of the caller's lock, whose words are atomics.
    (copy, acquire_copy(unsafe { &*copy }, owner))
}

/// Takes a copy for `owner` if it is free. Returns who was found.
#[inline]
pub(crate) fn acquire_copy(words: &LockWords, owner: u64) -> u64 {
    // Whoever claims has to get it in the end. That it has it already is for the exchange to see.
    let claimer = words.claimer.load(Relaxed);
    if claimer != 0 {
        return claimer;
    }
    match words.owner.compare_exchange(0, owner, Acquire, Relaxed) {
        Ok(found) | Err(found) => found,
    }
}

/// Nothing follows when a copy is free.
///
/// # Safety
///
/// None here.
#[inline(always)]
pub(crate) unsafe fn freed() {}
