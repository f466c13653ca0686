//! The steps on one copy behind the fast path: those that sleep or wake, and those of a claim.
//!
//! They know nothing of where copies are, of threads and of the kernel: a [`View`] tells. [`Place`](super::raw::Place) is
//! the one of a running program; the models have one in which every interleaving is tried.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use crate::arch::{CLAIM, HELD, LockWords, WAITERS};
use crate::primitive::AtomicU32;

/// A lock as the calling thread sees it.
pub(super) trait View {
    /// Takes this CPU's copy if it is free; else the copy, and the state found.
    fn acquire(&self) -> Result<*mut LockWords, (&LockWords, u32)>;

    /// Changes the state of the copy `words` from `from` to `to` if this is its CPU; false where it did not.
    fn mark(&self, words: &LockWords, from: u32, to: u32) -> bool;

    /// The calling thread, as the words keep it; never 0.
    fn owner(&self) -> u64;

    /// Whether `owner` is known to be a thread that does not exist; not where it is 0.
    fn is_gone(&self, owner: u64) -> bool;

    /// # Panics
    ///
    /// Where the calling thread holds or claims a copy of this lock.
    fn assert_not_mine(&self);

    /// Sleeps while `word` is `expected`, until [`wake_all`](Self::wake_all); may return at any time.
    fn wait(&self, word: &AtomicU32, expected: u32);

    /// Wakes every thread that sleeps on `word`.
    fn wake_all(&self, word: &AtomicU32);
}

/// What a thread is told that would wait for one that does not exist.
const DEAD: &str = "a thread that did not survive the fork holds this copy of the LocalLock";

/// Takes this CPU's copy, after sleeping for as long as it is not free.
///
/// # Panics
///
/// Where the sleep would have no end: this thread holds a copy of the lock, or the holder is known to be a thread
/// that did not survive a fork.
pub(super) fn acquire_slowly(view: &impl View) -> *mut LockWords {
    loop {
        let (words, found) = match view.acquire() {
            Ok(copy) => return copy,
            Err(busy) => busy,
        };
        view.assert_not_mine();
        assert!(!is_dead(view, words, found), "{DEAD}");
        let marked = found | WAITERS;
        if found == marked || view.mark(words, found, marked) {
            view.wait(&words.state, marked);
        }
    }
}

/// Frees a copy whose CPU the thread has left, or for which others wait.
pub(super) fn release_slowly(words: &LockWords, wake_all: impl Fn(&AtomicU32)) {
    // The owner goes first, so that it is never this thread's once it has nothing any more.
    words.owner.store(0, Relaxed);
    let state = words.state.fetch_and(!(HELD | WAITERS), Release);
    if state & (WAITERS | CLAIM) != 0 {
        // All of them: a woken thread may be on another CPU by now, and take that one's copy.
        wake_all(&words.state);
    }
}

/// Takes the copy `words` of another CPU, after sleeping for as long as it is not free. False, and nothing is
/// taken, where `restart` says that the CPU could not be made to restart its sequences.
///
/// # Panics
///
/// As [`acquire_slowly`].
#[must_use]
pub(super) fn claim(view: &impl View, words: &LockWords, restart: impl Fn() -> bool) -> bool {
    let release = || release_claim(words, |word| view.wake_all(word));
    become_claimer(view, words);
    loop {
        words.state.fetch_or(CLAIM, SeqCst);
        if !restart() {
            // The flag may be overwritten by now, and need not be there to be taken back.
            release();
            return false;
        }
        // A sequence that had read the state before may have overwritten it, but none does so from here on.
        if words.state.load(Acquire) & CLAIM != 0 {
            break;
        }
    }
    loop {
        let state = words.state.load(Acquire);
        if state & HELD == 0 {
            return true;
        }
        // Nobody but this thread claims, and it holds no copy: `become_claimer` has looked.
        if is_dead(view, words, state & HELD) {
            release();
            panic!("{DEAD}");
        }
        view.wait(&words.state, state);
    }
}

/// Frees a copy that this thread has claimed.
pub(super) fn release_claim(words: &LockWords, wake_all: impl Fn(&AtomicU32)) {
    let state = words.state.fetch_and(!(CLAIM | WAITERS), SeqCst);
    words.claimer.store(0, SeqCst);
    if state & WAITERS != 0 {
        wake_all(&words.state);
    }
    if words.claim_waiters.swap(0, SeqCst) != 0 {
        wake_all(&words.claim_waiters);
    }
}

/// Makes this thread the one that claims the copy.
fn become_claimer(view: &impl View, words: &LockWords) {
    // Before anything is taken: a panic must leave the lock as it was.
    view.assert_not_mine();
    let take = || words.claimer.compare_exchange(0, view.owner(), SeqCst, Relaxed);
    while let Err(claimer) = take() {
        assert!(!view.is_gone(claimer), "{DEAD}");
        // A swap, as in `release_claim`: whichever comes second sees what stands before the other.
        words.claim_waiters.swap(1, SeqCst);
        // Once more: it may have gone before it could see that somebody waits.
        if take().is_ok() {
            return;
        }
        view.wait(&words.claim_waiters, 1);
    }
}

/// Whether the copy `words` is held or claimed by a thread for which `is_me` says yes.
pub(super) fn is_mine(words: &LockWords, is_me: impl Fn(u64) -> bool) -> bool {
    let state = words.state.load(Acquire);
    let held = state & HELD != 0 && is_me(words.owner.load(Relaxed));
    let claimed = state & CLAIM != 0 && is_me(words.claimer.load(Relaxed));
    held || claimed
}

/// Whether a copy that was found in state `found` will never be freed: whoever has it was a thread of the parent's.
fn is_dead(view: &impl View, words: &LockWords, found: u32) -> bool {
    let held = found & HELD != 0 && view.is_gone(words.owner.load(Relaxed));
    let claimed = found & CLAIM != 0 && view.is_gone(words.claimer.load(Relaxed));
    held || claimed
}
