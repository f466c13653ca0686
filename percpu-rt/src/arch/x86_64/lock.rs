//! The three steps of a lock that are taken on its own CPU.
//!
//! A plain store takes the lock and a plain store frees it, each the commit of a sequence, and each only where the
//! word says that no other CPU has a part in it. On the orphan's copy all steps are `lock`ed.

use core::mem::offset_of;
use core::sync::atomic::AtomicU64;

use super::super::{HELD, LockWords};
use super::sequence::restartable;

/// Whether the steps may be overwritten by, and may overwrite, an atomic of another CPU: a claim has to make this
/// CPU restart its sequences.
pub(crate) const FAST_PATH_IS_PLAIN: bool = true;

/// Takes this CPU's copy for `owner` if it is free. Returns the copy, and the state found: 0 where it is taken now.
///
/// # Safety
///
/// `place` is the per-CPU pointer of a live lock's words.
#[inline(always)]
pub(crate) unsafe fn acquire(place: *mut LockWords, owner: u64) -> (*mut LockWords, u32) {
    let (copy, found): (*mut LockWords, u32);
    // SAFETY: the caller's lock. The owner is stored before the commit, but has a meaning only behind it: whoever
    // comes between restarts this sequence, and stores its own.
    unsafe {
        restartable!(
            place,
            commit: [
                "mov eax, dword ptr [{copy}]",
                "test eax, eax",
                "jne 4f",
                "mov qword ptr [{copy} + {owner_offset}], {owner}",
                "mov dword ptr [{copy}], {held}",
            ],
            orphan: [
                "xor eax, eax",
                "mov {scratch:e}, {held}",
                "lock cmpxchg dword ptr [{copy}], {scratch:e}",
                "jne 4b",
                "mov qword ptr [{copy} + {owner_offset}], {owner}",
            ],
            copy: copy,
            owner = in(reg) owner,
            scratch = out(reg) _,
            out("rax") found,
            held = const HELD,
            owner_offset = const offset_of!(LockWords, owner),
        );
    }
    (copy, found)
}

/// Frees the copy `held` if this is its CPU and its state is [`HELD`] and nothing else; false where it did not.
///
/// # Safety
///
/// As [`acquire`]; the calling thread has acquired `held`, a copy of this lock.
#[inline(always)]
pub(crate) unsafe fn release(place: *mut LockWords, held: *mut LockWords) -> bool {
    // SAFETY: the caller's lock. A jump to the label leaves the copy as it was.
    unsafe {
        restartable!(
            place,
            commit: [
                "cmp {copy}, {held}",
                "jne {other}",
                "cmp dword ptr [{copy}], {held_state}",
                "jne {other}",
                // The owner goes first. Were it left, a thread that looks through the copies could take what it has
                // held for what it holds, when its own signal handler locks between its two looks.
                "mov qword ptr [{copy} + {owner_offset}], 0",
                "mov dword ptr [{copy}], 0",
            ],
            orphan: [
                "cmp {copy}, {held}",
                "jne {other}",
                "mov qword ptr [{copy} + {owner_offset}], 0",
                "mov eax, {held_state}",
                "xor {scratch:e}, {scratch:e}",
                "lock cmpxchg dword ptr [{copy}], {scratch:e}",
                "jne {other}",
            ],
            held = in(reg) held,
            scratch = out(reg) _,
            out("rax") _,
            held_state = const HELD,
            owner_offset = const offset_of!(LockWords, owner),
            other = label { return false },
        );
    }
    true
}

/// Changes the state of the copy `busy` from `from` to `to` if this is its CPU; false where it did not.
///
/// # Safety
///
/// As [`acquire`]; `busy` is a copy of this lock.
#[inline]
pub(crate) unsafe fn mark(place: *mut LockWords, busy: *mut LockWords, from: u32, to: u32) -> bool {
    let (copy, found): (*mut LockWords, u32);
    // SAFETY: the caller's lock. In a sequence, so that no plain store of this CPU comes between; with `lock`, so
    // that no atomic of another does.
    unsafe {
        restartable!(
            place,
            commit: [
                "mov eax, {from:e}",
                "cmp {copy}, {busy}",
                "jne 4f",
                "lock cmpxchg dword ptr [{copy}], {to:e}",
            ],
            orphan: [
                "mov eax, {from:e}",
                "cmp {copy}, {busy}",
                "jne 4b",
                "lock cmpxchg dword ptr [{copy}], {to:e}",
            ],
            copy: copy,
            busy = in(reg) busy,
            from = in(reg) from,
            to = in(reg) to,
            out("rax") found,
        );
    }
    copy == busy && found == from
}

const _: () = assert!(offset_of!(LockWords, state) == 0 && size_of::<AtomicU64>() == 8, "as the sequences have it");
