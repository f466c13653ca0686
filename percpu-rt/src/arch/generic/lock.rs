//! The three steps of a lock that are taken on its own CPU.
//!
//! By atomics, so that it does not matter whether it still is its own.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::super::{HELD, LockWords, locate};
use super::cpu::current_cpu;

/// Whether the steps may be overwritten by, and may overwrite, an atomic of another CPU.
pub(crate) const FAST_PATH_IS_PLAIN: bool = false;

/// Takes this CPU's copy for `owner` if it is free. Returns the copy, and the state found: 0 where it is taken now.
///
/// # Safety
///
/// `place` is the per-CPU pointer of a live lock's words.
#[inline]
pub(crate) unsafe fn acquire(place: *mut LockWords, owner: u64) -> (*mut LockWords, u32) {
    let copy = locate(place.cast(), current_cpu()).cast::<LockWords>();
    // SAFETY: a copy of the caller's lock, whose words are atomics.
    (copy, acquire_copy(unsafe { &*copy }, owner))
}

/// Frees the copy `held` if its state is [`HELD`] and nothing else; false where it did not.
///
/// # Safety
///
/// As [`acquire`]; the calling thread has acquired `held`, a copy of this lock.
#[inline]
pub(crate) unsafe fn release(_place: *mut LockWords, held: *mut LockWords) -> bool {
    // SAFETY: a copy of the caller's lock, whose words are atomics.
    release_copy(unsafe { &*held })
}

/// Changes the state of the copy `busy` from `from` to `to`; false where it did not.
///
/// # Safety
///
/// As [`acquire`]; `busy` is a copy of this lock.
#[inline]
pub(crate) unsafe fn mark(_place: *mut LockWords, busy: *mut LockWords, from: u32, to: u32) -> bool {
    // SAFETY: a copy of the caller's lock, whose words are atomics.
    mark_copy(unsafe { &*busy }, from, to)
}

/// Takes a copy for `owner` if it is free. Returns the state found.
#[inline]
pub(crate) fn acquire_copy(words: &LockWords, owner: u64) -> u32 {
    match words.state.compare_exchange(0, HELD, Acquire, Relaxed) {
        Ok(free) => {
            words.owner.store(owner, Relaxed);
            free
        }
        Err(found) => found,
    }
}

/// As [`release`].
#[inline]
pub(crate) fn release_copy(words: &LockWords) -> bool {
    // The owner goes first: the next one is stored only after the state is taken.
    words.owner.store(0, Relaxed);
    words.state.compare_exchange(HELD, 0, Release, Relaxed).is_ok()
}

/// As [`mark`].
#[inline]
pub(crate) fn mark_copy(words: &LockWords, from: u32, to: u32) -> bool {
    words.state.compare_exchange(from, to, AcqRel, Relaxed).is_ok()
}
