//! Taking another CPU's copy.

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use super::owner::Owner;
use super::raw::{DEAD, Place, is_dead};
use crate::arch::{self, CLAIM, HELD, LockWords, WAITERS};
use crate::cpu::CpuId;
use crate::platform;

/// Why another CPU's copy of a lock cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockOnError {
    /// The kernel cannot make a CPU restart its sequences: Linux before 5.10, or a sandbox that forbids `membarrier`,
    /// also one that was entered since.
    Unsupported,
}

impl fmt::Display for LockOnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("the kernel does not support membarrier with restartable sequences"),
        }
    }
}

impl core::error::Error for LockOnError {}

/// Takes `cpu`'s copy, after sleeping for as long as it is not free.
///
/// # Panics
///
/// As [`Place::acquire_slowly`].
pub(super) fn claim(place: Place, cpu: CpuId) -> Result<(), LockOnError> {
    let words = place.words(cpu.index());
    // The orphan's copy is changed by atomics alone, which cannot overwrite a claim.
    let expels = arch::FAST_PATH_IS_PLAIN && !cpu.is_orphan();
    if expels && !platform::can_restart_sequences() {
        return Err(LockOnError::Unsupported);
    }
    become_claimer(place, words);
    loop {
        words.state.fetch_or(CLAIM, SeqCst);
        if expels && !platform::restart_sequences(cpu) {
            // The flag may be overwritten by now, and need not be there to be taken back.
            release(words);
            return Err(LockOnError::Unsupported);
        }
        // A sequence that had read the state before may have overwritten it, but none does so from here on.
        if words.state.load(Acquire) & CLAIM != 0 {
            break;
        }
    }
    loop {
        let state = words.state.load(Acquire);
        if state & HELD == 0 {
            return Ok(());
        }
        // Nobody but this thread claims, and it holds no copy: `become_claimer` has looked.
        if is_dead(words, state & HELD) {
            release(words);
            panic!("{DEAD}");
        }
        platform::wait(&words.state, state);
    }
}

/// Frees a copy that this thread has claimed.
pub(super) fn release(words: &LockWords) {
    let state = words.state.fetch_and(!(CLAIM | WAITERS), SeqCst);
    words.claimer.store(0, SeqCst);
    if state & WAITERS != 0 {
        platform::wake_all(&words.state);
    }
    if words.claim_waiters.swap(0, SeqCst) != 0 {
        platform::wake_all(&words.claim_waiters);
    }
}

/// Makes this thread the one that claims the copy.
fn become_claimer(place: Place, words: &LockWords) {
    let me = Owner::this_thread().to_word();
    // Before anything is taken: a panic must leave the lock as it was.
    place.assert_not_mine();
    let take = || words.claimer.compare_exchange(0, me, SeqCst, Relaxed);
    while let Err(claimer) = take() {
        assert!(Owner::from_word(claimer).is_none_or(Owner::is_alive), "{DEAD}");
        words.claim_waiters.store(1, SeqCst);
        // Once more: it may have gone before it could see that somebody waits.
        if take().is_ok() {
            return;
        }
        platform::wait(&words.claim_waiters, 1);
    }
}
