//! The steps on one copy behind the fast path: those that free, sleep or wake, and those of a claim.
//!
//! They know nothing of where copies are, of threads and of the kernel: a [`View`] tells. [`Place`](super::raw::Place) is
//! the one of a running program; the models have one in which every interleaving is tried.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::compiler_fence;
use core::time::Duration;

use crate::arch::{FAST_PATH_IS_PLAIN, LockWords};
use crate::primitive::{AtomicU32, AtomicU64, fence};

/// A lock as the calling thread sees it.
pub(super) trait View {
    /// Takes this CPU's copy if it is free; else the copy.
    fn acquire(&self) -> Result<*mut LockWords, &LockWords>;

    /// The calling thread, as the words keep it; never 0.
    fn owner(&self) -> u64;

    /// Whether `owner` is known to be a thread that does not exist; not where it is 0.
    fn is_gone(&self, owner: u64) -> bool;

    /// # Panics
    ///
    /// Where the calling thread holds or claims a copy of this lock.
    fn assert_not_mine(&self);

    /// The counterpart of [`light_barrier`]: of this thread and each other, what one has stored before its barrier the
    /// other loads behind its own. False where the platform cannot promise it.
    fn barrier(&self) -> bool;

    /// Sleeps while `word` is `expected`, until [`wake_all`](Self::wake_all) or for `at_most`; may return at any time.
    fn wait(&self, word: &AtomicU32, expected: u32, at_most: Option<Duration>);

    /// Wakes every thread that sleeps on `word`.
    fn wake_all(&self, word: &AtomicU32);
}

/// What a thread is told that would wait for one that does not exist.
const DEAD: &str = "a thread that did not survive the fork holds this copy of the LocalLock";

/// In [`LockWords::sleepers`]: somebody is to be woken.
const ASLEEP: u32 = 1;

/// How long a sleeper sleeps that may not be woken, since there was no barrier.
const NAP: Duration = Duration::from_millis(1);

/// Takes this CPU's copy, after sleeping for as long as it is not free.
///
/// # Panics
///
/// Where the sleep would have no end: this thread holds a copy of the lock, or the holder is known to be a thread
/// that did not survive a fork.
pub(super) fn acquire_slowly(view: &impl View) -> *mut LockWords {
    loop {
        let words = match view.acquire() {
            Ok(copy) => return copy,
            Err(busy) => busy,
        };
        view.assert_not_mine();
        assert!(!is_gone(view, &words.owner) && !is_gone(view, &words.claimer), "{DEAD}");
        sleep_while(view, words, || words.owner.load(Relaxed) != 0 || words.claimer.load(Relaxed) != 0);
    }
}

/// Frees a copy that this thread has acquired, on whichever CPU it is.
#[inline(always)]
pub(super) fn release(words: &LockWords, wake_all: impl FnOnce(&AtomicU32)) {
    words.owner.store(0, Release);
    tell_sleepers(words, wake_all);
}

/// Takes the copy `words` of another CPU, after sleeping for as long as it is not free. False, and nothing is
/// taken, where `restart` says that the CPU could not be made to restart its sequences.
///
/// # Panics
///
/// As [`acquire_slowly`].
#[must_use]
pub(super) fn claim(view: &impl View, words: &LockWords, restart: impl FnOnce() -> bool) -> bool {
    become_claimer(view, words);
    // A sequence that has found no claimer takes the copy before this, or starts again and finds one.
    if !restart() {
        withdraw(view, words);
        return false;
    }
    // Nobody but this thread claims, and it holds no copy: `become_claimer` has looked.
    while let Err(holder) = words.owner.compare_exchange(0, view.owner(), Acquire, Relaxed) {
        if view.is_gone(holder) {
            withdraw(view, words);
            panic!("{DEAD}");
        }
        sleep_while(view, words, || words.owner.load(Relaxed) != 0);
    }
    true
}

/// Frees a copy that this thread has claimed.
pub(super) fn release_claim(words: &LockWords, wake_all: impl FnOnce(&AtomicU32)) {
    words.owner.store(0, Release);
    // A sequence looks at the claimer alone, once it has found no owner.
    words.claimer.store(0, Release);
    tell_sleepers(words, wake_all);
}

/// Makes this thread the one that claims the copy.
fn become_claimer(view: &impl View, words: &LockWords) {
    // Before anything is taken: a panic must leave the lock as it was.
    view.assert_not_mine();
    while let Err(claimer) = words.claimer.compare_exchange(0, view.owner(), AcqRel, Relaxed) {
        assert!(!view.is_gone(claimer), "{DEAD}");
        sleep_while(view, words, || words.claimer.load(Relaxed) != 0);
    }
}

/// Makes this thread no claimer, which has not got the copy.
fn withdraw(view: &impl View, words: &LockWords) {
    words.claimer.store(0, Release);
    tell_sleepers(words, |word| view.wake_all(word));
}

/// Sleeps until somebody frees the copy, unless it is not `busy` any more; may return at any time.
fn sleep_while(view: &impl View, words: &LockWords, busy: impl FnOnce() -> bool) {
    let marked = words.sleepers.fetch_or(ASLEEP, Relaxed) | ASLEEP;
    // Whoever frees the copy either sees the mark, or has freed it before `busy` looks.
    let ordered = view.barrier();
    if busy() {
        view.wait(&words.sleepers, marked, (!ordered).then_some(NAP));
    }
}

/// Wakes everybody who sleeps until the copy is free, as it is now.
#[inline(always)]
fn tell_sleepers(words: &LockWords, wake_all: impl FnOnce(&AtomicU32)) {
    light_barrier();
    let marked = words.sleepers.load(Relaxed);
    if marked & ASLEEP != 0 {
        wake(words, marked, wake_all);
    }
}

#[cold]
#[inline(never)]
fn wake(words: &LockWords, marked: u32, wake_all: impl FnOnce(&AtomicU32)) {
    // A new number, so that nobody falls asleep by the old mark. Where there is one already, somebody else has this
    // mark's sleepers to wake, and whoever has set a new mark looks behind its own barrier, which is behind this one.
    if words.sleepers.compare_exchange(marked, marked.wrapping_add(1), Relaxed, Relaxed).is_ok() {
        // All of them: a woken thread may be on another CPU by now, and take that one's copy.
        wake_all(&words.sleepers);
    }
}

/// Between the store that frees a copy and the look for sleepers. It costs nothing where sleepers pay for both.
#[inline(always)]
fn light_barrier() {
    if FAST_PATH_IS_PLAIN { compiler_fence(SeqCst) } else { fence(SeqCst) }
}

/// Whether a thread for which `is_me` says yes holds or claims the copy `words`.
pub(super) fn is_mine(words: &LockWords, is_me: impl Fn(u64) -> bool) -> bool {
    is_me(words.owner.load(Relaxed)) || is_me(words.claimer.load(Relaxed))
}

/// Whether `thread` was one of the parent's: it will never free what it has.
fn is_gone(view: &impl View, thread: &AtomicU64) -> bool {
    view.is_gone(thread.load(Relaxed))
}
