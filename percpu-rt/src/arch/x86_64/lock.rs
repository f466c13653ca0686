//! The step of a lock that is taken on its own CPU.
//!
//! A plain store takes the lock, the commit of a sequence that has found nobody else in the words. On the orphan's copy it is a
//! `lock`ed one.

use core::mem::offset_of;

use super::super::LockWords;
use super::sequence::restartable;

/// Whether nothing but restarts and barriers orders this step, and the store that frees, with what other CPUs do: a claim
/// has to make this CPU restart its sequences, and a sleeper to make all CPUs see each other's stores.
pub(crate) const FAST_PATH_IS_PLAIN: bool = true;

/// Takes this CPU's copy for `owner` if it is free. Returns the copy, and who was found: 0 where it is taken now.
///
/// # Safety
///
/// `place` is the per-CPU pointer of a live lock's words.
#[inline(always)]
pub(crate) unsafe fn acquire(place: *mut LockWords, owner: u64) -> (*mut LockWords, u64) {
    let (copy, found): (*mut LockWords, u64);
    // SAFETY: the caller's lock. Where the orphan's copy is claimed, the exchange fails while the claimer has it.
    unsafe {
        restartable!(
            place,
            commit: [
                "mov rax, qword ptr [{copy}]",
                "or rax, qword ptr [{copy} + {claimer}]",
                "jne 4f",
                "mov qword ptr [{copy}], {owner}",
            ],
            orphan: [
                "mov rax, qword ptr [{copy} + {claimer}]",
                "test rax, rax",
                "jne 4b",
                "lock cmpxchg qword ptr [{copy}], {owner}",
            ],
            copy: copy,
            owner = in(reg) owner,
            out("rax") found,
            claimer = const offset_of!(LockWords, claimer),
        );
    }
    (copy, found)
}

const _: () = assert!(offset_of!(LockWords, owner) == 0, "as the sequence has it");

/// Nothing follows when a copy is free.
///
/// # Safety
///
/// None here.
#[inline(always)]
pub(crate) unsafe fn freed() {}
