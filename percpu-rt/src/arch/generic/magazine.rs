//! The steps of a magazine: whoever has found its CPU may be on another one by now, so each is done while the copy is its own.

use super::super::magazine::{Magazine, NOTHING};
use super::cpu::current_cpu;

/// Whether these steps are sequences, which only a restart keeps from a copy.
pub(crate) const STEPS_ARE_SEQUENCES: bool = false;

/// Takes a place of size `tag` out of this CPU's copy, or [`NOTHING`].
///
/// # Safety
///
/// `magazine` is the per-CPU pointer of a magazine that is never freed.
#[inline]
pub(crate) unsafe fn pop(magazine: *mut Magazine, tag: u32) -> usize {
    // SAFETY: the caller's magazine, and this CPU has a unit; likewise below.
    unsafe { Magazine::copy(magazine, current_cpu()) }.alone(NOTHING, |copy| copy.pop(tag))
}

/// Puts a place of size `tag` into this CPU's copy; false where that has other places, or enough.
///
/// # Safety
///
/// As [`pop`].
#[inline]
pub(crate) unsafe fn push(magazine: *mut Magazine, tag: u32, place: usize) -> bool {
    // SAFETY: as above.
    unsafe { Magazine::copy(magazine, current_cpu()) }.alone(false, |copy| copy.push(tag, place))
}

/// As [`pop`].
///
/// # Safety
///
/// As there.
#[inline]
pub(crate) unsafe fn pop_top(magazine: *mut Magazine, tag: u32) -> usize {
    // SAFETY: the caller's.
    unsafe { pop(magazine, tag) }
}

/// As [`push`].
///
/// # Safety
///
/// As [`pop`].
#[inline]
pub(crate) unsafe fn push_top(magazine: *mut Magazine, tag: u32, place: usize) -> bool {
    // SAFETY: the caller's.
    unsafe { push(magazine, tag, place) }
}

/// Gives this CPU's copy to size `tag`; false where it has places of another one.
///
/// # Safety
///
/// As [`pop`].
pub(crate) unsafe fn adopt(magazine: *mut Magazine, tag: u32) -> bool {
    // SAFETY: as above.
    unsafe { Magazine::copy(magazine, current_cpu()) }.alone(false, |copy| copy.adopt(tag))
}
