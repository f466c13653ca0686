//! The steps of a magazine on its own CPU: sequences, and on the orphan's copy what all such threads take turns in.

use core::mem::offset_of;

use super::super::ORPHAN_SLOT;
use super::super::magazine::{Magazine, NOTHING};
use super::sequence::restartable;

const _: () =
    assert!(offset_of!(Magazine, closed) == offset_of!(Magazine, tag) + 4, "one compare: this tag, and not closed");

/// Whether these steps are sequences, which only a restart keeps from a copy; the orphan's are not.
pub(crate) const STEPS_ARE_SEQUENCES: bool = true;

/// What the orphan's half of a sequence answers. No place is 1, and no flag 2.
const ORPHAN_POP: u32 = 1;
const ORPHAN_PUSH: u32 = 2;

/// Takes the last place of size `tag` out of this CPU's copy, or [`NOTHING`].
///
/// # Safety
///
/// `magazine` is the per-CPU pointer of a magazine that is never freed.
#[inline(always)]
pub(crate) unsafe fn pop(magazine: *mut Magazine, tag: u32) -> u32 {
    let place: u32;
    // SAFETY: the caller's magazine; its steps on this CPU are sequences.
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
                "mov {found:e}, dword ptr [{copy} + {places_at} + {last} * 4]",
                "mov dword ptr [{copy} + {count_at}], {last:e}",
            ],
            orphan: ["mov {found:e}, {orphan_pop}"],
            tag = in(reg) u64::from(tag),
            found = out(reg) place,
            last = out(reg) _,
            count_at = const offset_of!(Magazine, count),
            tag_at = const offset_of!(Magazine, tag),
            places_at = const offset_of!(Magazine, places),
            orphan_pop = const ORPHAN_POP,
        );
    }
    // SAFETY: the caller's magazine.
    if place == ORPHAN_POP { unsafe { pop_orphan(magazine, tag) } } else { place }
}

/// Puts a place of size `tag` into this CPU's copy; false where that has other places, or enough.
///
/// # Safety
///
/// As [`pop`].
#[inline(always)]
pub(crate) unsafe fn push(magazine: *mut Magazine, tag: u32, place: u32) -> bool {
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
                "mov dword ptr [{copy} + {places_at} + {count} * 4], {new:e}",
                "add {count:e}, 1",
                "mov {done:e}, 1",
                "mov dword ptr [{copy} + {count_at}], {count:e}",
            ],
            orphan: ["mov {done:e}, {orphan_push}"],
            tag = in(reg) u64::from(tag),
            new = in(reg) place,
            done = out(reg) done,
            count = out(reg) _,
            count_at = const offset_of!(Magazine, count),
            tag_at = const offset_of!(Magazine, tag),
            capacity_at = const offset_of!(Magazine, capacity),
            places_at = const offset_of!(Magazine, places),
            orphan_push = const ORPHAN_PUSH,
        );
    }
    // SAFETY: as above.
    if done == ORPHAN_PUSH { unsafe { push_orphan(magazine, tag, place) } } else { done != 0 }
}

/// Gives this CPU's copy to size `tag`; false where it has places of another one, or is closed.
///
/// # Safety
///
/// As [`pop`].
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
                "8: mov {done:e}, 1",
                "mov dword ptr [{copy} + {tag_at}], {tag:e}",
            ],
            orphan: ["mov {done:e}, {orphan_push}"],
            tag = in(reg) tag,
            done = out(reg) done,
            count_at = const offset_of!(Magazine, count),
            tag_at = const offset_of!(Magazine, tag),
            closed_at = const offset_of!(Magazine, closed),
            orphan_push = const ORPHAN_PUSH,
        );
    }
    if done == ORPHAN_PUSH {
        // SAFETY: the orphan has a unit.
        return unsafe { Magazine::copy(magazine, ORPHAN_SLOT) }.alone(false, |copy| copy.adopt(tag));
    }
    done != 0
}

/// # Safety
///
/// As [`pop`].
#[cold]
#[inline(never)]
unsafe fn pop_orphan(magazine: *mut Magazine, tag: u32) -> u32 {
    // SAFETY: the caller's magazine, and the orphan has a unit.
    unsafe { Magazine::copy(magazine, ORPHAN_SLOT) }.alone(NOTHING, |copy| copy.pop(tag))
}

/// # Safety
///
/// As [`pop`].
#[cold]
#[inline(never)]
unsafe fn push_orphan(magazine: *mut Magazine, tag: u32, place: u32) -> bool {
    // SAFETY: as above.
    unsafe { Magazine::copy(magazine, ORPHAN_SLOT) }.alone(false, |copy| copy.push(tag, place))
}
