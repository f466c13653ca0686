//! The steps of a magazine on its own CPU: sequences, and on the orphan's copy what all such threads take turns in.
//!
//! What lies below the top is a sequence of its own: a sequence has one commit.

use core::mem::offset_of;

use super::super::ORPHAN_SLOT;
use super::super::magazine::{Magazine, NO_PLACE, NOTHING};
use super::sequence::restartable;

const _: () =
    assert!(offset_of!(Magazine, closed) == offset_of!(Magazine, tag) + 4, "one compare: this tag, and not closed");

/// Whether these steps are sequences, which only a restart keeps from a copy; the orphan's are not.
pub(crate) const STEPS_ARE_SEQUENCES: bool = true;

/// What a sequence answers that puts a place in or gives a magazine away.
const NOT_DONE: u32 = 0;
const DONE: u32 = 1;
const IS_ORPHAN: u32 = 2;

/// Takes the place at the top out of this CPU's copy, if it is of size `tag`; else [`NOTHING`].
///
/// # Safety
///
/// `magazine` is the per-CPU pointer of a magazine that is never freed.
#[inline(always)]
pub(crate) unsafe fn pop_top(magazine: *mut Magazine, tag: u32) -> usize {
    let place: usize;
    // SAFETY: the caller's magazine; its steps on this CPU are sequences. Where there is nothing at the top, that is what is written.
    unsafe {
        restartable!(
            magazine,
            commit: [
                "xor {found:e}, {found:e}",
                "cmp qword ptr [{copy} + {tag_at}], {tag}",
                "jne 4f",
                "mov {found}, qword ptr [{copy} + {top_at}]",
                "mov qword ptr [{copy} + {top_at}], {nothing}",
            ],
            orphan: ["mov {found:e}, {nothing}"],
            tag = in(reg) u64::from(tag),
            found = out(reg) place,
            nothing = const NOTHING,
            tag_at = const offset_of!(Magazine, tag),
            top_at = const offset_of!(Magazine, top),
        );
    }
    place
}

/// Puts a place of size `tag` at the top of this CPU's copy; false where one is there, or that has other places.
///
/// # Safety
///
/// As [`pop_top`].
#[inline(always)]
pub(crate) unsafe fn push_top(magazine: *mut Magazine, tag: u32, place: usize) -> bool {
    // SAFETY: as above.
    unsafe {
        restartable!(
            magazine,
            commit: [
                "cmp qword ptr [{copy} + {tag_at}], {tag}",
                "jne {refused}",
                "cmp qword ptr [{copy} + {top_at}], {nothing}",
                "jne {refused}",
                "mov qword ptr [{copy} + {top_at}], {new}",
            ],
            orphan: ["jmp {refused}"],
            tag = in(reg) u64::from(tag),
            new = in(reg) place,
            nothing = const NOTHING,
            tag_at = const offset_of!(Magazine, tag),
            top_at = const offset_of!(Magazine, top),
            refused = label { return false },
        );
    }
    true
}

/// Takes a place of size `tag` out of this CPU's copy, or [`NOTHING`].
///
/// # Safety
///
/// As [`pop_top`].
pub(crate) unsafe fn pop(magazine: *mut Magazine, tag: u32) -> usize {
    // SAFETY: the caller's magazine; likewise below.
    let top = unsafe { pop_top(magazine, tag) };
    if top != NOTHING {
        return top;
    }
    let place: usize;
    // SAFETY: as above.
    unsafe {
        restartable!(
            magazine,
            commit: [
                "xor {found:e}, {found:e}",
                "cmp qword ptr [{copy} + {tag_at}], {tag}",
                "jne 4f",
                "mov {last:e}, dword ptr [{copy} + {count_at}]",
                "sub {last:e}, 1",
                "jb 4f",
                "mov {found}, qword ptr [{copy} + {below_at} + {last} * 8]",
                "mov dword ptr [{copy} + {count_at}], {last:e}",
            ],
            orphan: ["mov {found:e}, {no_place}"],
            tag = in(reg) u64::from(tag),
            found = out(reg) place,
            last = out(reg) _,
            no_place = const NO_PLACE,
            count_at = const offset_of!(Magazine, count),
            tag_at = const offset_of!(Magazine, tag),
            below_at = const offset_of!(Magazine, below),
        );
    }
    // SAFETY: as above.
    if place == NO_PLACE { unsafe { orphan(magazine) }.alone(NOTHING, |copy| copy.pop(tag)) } else { place }
}

/// Puts a place of size `tag` into this CPU's copy; false where that has other places, or enough.
///
/// # Safety
///
/// As [`pop_top`].
pub(crate) unsafe fn push(magazine: *mut Magazine, tag: u32, place: usize) -> bool {
    // SAFETY: as above; likewise below.
    if unsafe { push_top(magazine, tag, place) } {
        return true;
    }
    let done: u32;
    // SAFETY: as above. The store to the place is beyond the count: it is nothing until the count says so.
    unsafe {
        restartable!(
            magazine,
            commit: [
                "xor {done:e}, {done:e}",
                "cmp qword ptr [{copy} + {tag_at}], {tag}",
                "jne 4f",
                "mov {count:e}, dword ptr [{copy} + {count_at}]",
                "cmp {count:e}, dword ptr [{copy} + {capacity_at}]",
                "jae 4f",
                "mov qword ptr [{copy} + {below_at} + {count} * 8], {new}",
                "add {count:e}, 1",
                "mov {done:e}, {has_done}",
                "mov dword ptr [{copy} + {count_at}], {count:e}",
            ],
            orphan: ["mov {done:e}, {is_orphan}"],
            tag = in(reg) u64::from(tag),
            new = in(reg) place,
            done = out(reg) done,
            count = out(reg) _,
            has_done = const DONE,
            is_orphan = const IS_ORPHAN,
            count_at = const offset_of!(Magazine, count),
            tag_at = const offset_of!(Magazine, tag),
            capacity_at = const offset_of!(Magazine, capacity),
            below_at = const offset_of!(Magazine, below),
        );
    }
    if done == IS_ORPHAN {
        // SAFETY: as above.
        return unsafe { orphan(magazine) }.alone(false, |copy| copy.push(tag, place));
    }
    done != NOT_DONE
}

/// Gives this CPU's copy to size `tag`; false where it has places of another one, or is closed.
///
/// # Safety
///
/// As [`pop_top`].
pub(crate) unsafe fn adopt(magazine: *mut Magazine, tag: u32) -> bool {
    let done: u32;
    // SAFETY: as above.
    unsafe {
        restartable!(
            magazine,
            commit: [
                "xor {done:e}, {done:e}",
                "cmp dword ptr [{copy} + {closed_at}], 0",
                "jne 4f",
                "cmp dword ptr [{copy} + {tag_at}], {tag:e}",
                "je 8f",
                "cmp dword ptr [{copy} + {count_at}], 0",
                "jne 4f",
                "cmp qword ptr [{copy} + {top_at}], {nothing}",
                "jne 4f",
                "8: mov {done:e}, {has_done}",
                "mov dword ptr [{copy} + {tag_at}], {tag:e}",
            ],
            orphan: ["mov {done:e}, {is_orphan}"],
            tag = in(reg) tag,
            done = out(reg) done,
            nothing = const NOTHING,
            has_done = const DONE,
            count_at = const offset_of!(Magazine, count),
            top_at = const offset_of!(Magazine, top),
            tag_at = const offset_of!(Magazine, tag),
            closed_at = const offset_of!(Magazine, closed),
            is_orphan = const IS_ORPHAN,
        );
    }
    if done == IS_ORPHAN {
        // SAFETY: the orphan has a unit.
        return unsafe { orphan(magazine) }.alone(false, |copy| copy.adopt(tag));
    }
    done != NOT_DONE
}

/// The copy of the threads without a registration.
///
/// # Safety
///
/// As [`pop_top`].
unsafe fn orphan(magazine: *mut Magazine) -> &'static Magazine {
    // SAFETY: the caller's magazine, and the orphan has a unit.
    unsafe { Magazine::copy(magazine, ORPHAN_SLOT) }
}
