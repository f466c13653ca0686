//! A lock, and its steps on one copy.

use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::Ordering::SeqCst;
use core::time::Duration;

use super::owner::Owner;
use super::steps::{self, View};
use crate::arch::{self, LockWords};
use crate::cpu::possible_cpus;
use crate::platform;
use crate::primitive::{AtomicU32, fence};

/// A value of which each CPU has a copy, lent as `&mut T` to one thread at a time.
///
/// Declared as a per-CPU variable, and locked through its handle alone:
///
/// ```
/// use percpu_rt::{LocalLock, per_cpu};
///
/// /// Objects that each CPU keeps for its next use.
/// #[per_cpu]
/// static CACHE: LocalLock<Vec<Box<[u8; 64]>>> = LocalLock::new(Vec::new());
///
/// let object = CACHE.with(|cache| cache.pop()).unwrap_or_else(|| Box::new([0; 64]));
/// CACHE.lock().push(object);
/// ```
///
/// A panic while a guard is held unlocks; there is no poisoning. A guard that is forgotten leaves its copy locked for good.
///
/// # Lock order
///
/// - All copies of one lock are one place in a program's lock order, like one mutex: whoever holds a copy must not wait for
///   another copy of it, by [`lock`](crate::PerCpu::lock) or [`lock_on`](crate::PerCpu::lock_on). A thread that is about to
///   sleep looks through the copies and panics if one is its own, so it never waits for itself, even after it has been moved.
///   Debug builds look each time.
/// - Between different locks, and with mutexes, the usual rule holds: take them in one order everywhere. Nothing finds out where
///   that is not kept: the threads sleep for good.
/// - Whatever runs while a guard is held counts as done under the lock, and so does the drop of the value that is moved out or
///   overwritten: a destructor that locks is part of the order.
/// - A signal handler may [`try_lock`](crate::PerCpu::try_lock) whatever it likes. It may `lock` only what no code holds that it
///   can interrupt: what the interrupted thread holds is refused by a panic, what another thread holds is waited for.
/// - In a forked child, waiting panics where the holder is a thread of the parent's.
#[repr(C)]
pub struct LocalLock<T> {
    words: LockWords,
    value: UnsafeCell<T>,
}

impl<T> LocalLock<T> {
    /// An unlocked value.
    // The models' atomics are not made by constants.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { words: LockWords::new(), value: UnsafeCell::new(value) }
    }

    /// The lock's words.
    #[inline(always)]
    pub(super) fn words(&self) -> &LockWords {
        &self.words
    }

    /// The value's address; using it takes the lock.
    pub(super) fn value(&self) -> *mut T {
        self.value.get()
    }
}

impl<T> fmt::Debug for LocalLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalLock").finish_non_exhaustive()
    }
}

/// The per-CPU pointer of a lock's words; the words stay in every unit for as long as this exists.
#[derive(Clone, Copy)]
pub(super) struct Place(*mut LockWords);

impl Place {
    /// The place of the lock whose per-CPU pointer is `lock`: the words come first in it.
    ///
    /// # Safety
    ///
    /// The lock lives in every unit for as long as the result is used, and its words are accessed through
    /// results of this function alone.
    pub(super) unsafe fn new<T>(lock: *mut LocalLock<T>) -> Self {
        Self(lock.cast())
    }

    /// The words of the copy at `slot`.
    pub(super) fn words(&self, slot: usize) -> &LockWords {
        // SAFETY: a live copy of the lock (`new`); its words are atomics.
        unsafe { &*arch::locate(self.0.cast(), slot).cast::<LockWords>() }
    }

    /// Takes this CPU's copy, if it is free.
    #[inline(always)]
    pub(super) fn try_acquire(self) -> Option<*mut LockWords> {
        // SAFETY: a live lock (`new`).
        let (copy, found) = unsafe { arch::acquire(self.0, Owner::this_thread().to_word()) };
        (found == 0).then_some(copy)
    }

    /// Takes this CPU's copy, after sleeping for as long as it is not free.
    ///
    /// # Panics
    ///
    /// Where the sleep would have no end: this thread holds a copy of the lock, or the holder is known to be a thread
    /// that did not survive a fork.
    // By value: the address of a place would keep it in memory on the fast path too.
    #[cold]
    #[inline(never)]
    pub(super) fn acquire_slowly(self) -> *mut LockWords {
        steps::acquire_slowly(&self)
    }
}

impl View for Place {
    fn acquire(&self) -> Result<*mut LockWords, &LockWords> {
        // SAFETY: a live lock (`new`).
        let (copy, found) = unsafe { arch::acquire(self.0, self.owner()) };
        // SAFETY: a live copy of it; its words are atomics.
        if found == 0 { Ok(copy) } else { Err(unsafe { &*copy }) }
    }

    fn owner(&self) -> u64 {
        Owner::this_thread().to_word()
    }

    fn is_gone(&self, owner: u64) -> bool {
        Owner::from_word(owner).is_some_and(|owner| !owner.is_alive())
    }

    fn assert_not_mine(&self) {
        // The holder is a CPU there, and this thread might be moved to it in the middle of the question.
        #[cfg(platform = "kernel")]
        let _off = platform::InterruptGuard::new();
        let is_me = |word| Owner::from_word(word).is_some_and(Owner::is_this_thread);
        for cpu in possible_cpus() {
            let is_mine = steps::is_mine(self.words(cpu.index()), is_me);
            assert!(!is_mine, "this thread already holds CPU {cpu}'s copy of the LocalLock it locks");
        }
    }

    fn barrier(&self) -> bool {
        // This thread's own part, which is all of it where the fast path has fences.
        fence(SeqCst);
        !arch::FAST_PATH_IS_PLAIN || platform::barrier_on_all_cpus()
    }

    fn wait(&self, word: &AtomicU32, expected: u32, at_most: Option<Duration>) {
        platform::wait(word, expected, at_most);
    }

    fn wake_all(&self, word: &AtomicU32) {
        platform::wake_all(word);
    }
}
