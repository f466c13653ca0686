//! A lock that knows whether waiting for it would be waiting for oneself.
//!
//! What it guards takes some hundred nanoseconds, so waiters spin for a while before they sleep. The word names the
//! thread that holds it: a signal handler can tell that it has interrupted the holder, which goes on only when the
//! handler returns. And it survives a fork: whoever forks takes it before and frees it on both sides.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicUsize};

use super::futex;
use crate::arch;
use crate::chunk::RawLock;

/// Mutual exclusion between the threads of a process.
#[derive(Debug)]
pub(crate) struct Mutex {
    /// 0, or the holder's thread pointer, with [`WAITERS`] where somebody may sleep.
    word: AtomicUsize,
    /// Whether the holder is about to fork, or has just forked.
    forking: AtomicBool,
}

/// A thread may sleep until the word is 0. No thread pointer has the bit.
const WAITERS: usize = 1;

/// Looks at a held lock before sleeping: some microseconds.
const SPINS: u32 = 200;

/// What no other live thread is called: all of its thread pointer. A part of it would have two threads take each other for
/// themselves, whose stacks are as far apart as the part tells.
#[inline]
fn this_thread() -> usize {
    arch::thread_pointer()
}

impl Mutex {
    /// A free one.
    pub(crate) const fn new() -> Self {
        Self { word: AtomicUsize::new(0), forking: AtomicBool::new(false) }
    }

    /// Whether the calling thread holds it: it runs a signal handler then, and waiting would never end.
    #[inline]
    pub(crate) fn is_held_here(&self) -> bool {
        self.word.load(Relaxed) & !WAITERS == this_thread()
    }

    /// Takes the lock for a fork, unless the fork comes from a handler that has interrupted the holder: that one goes
    /// on in the parent and in the child.
    pub(crate) fn before_fork(&self) {
        if !self.is_held_here() {
            self.lock();
            self.forking.store(true, Relaxed);
        }
    }

    /// Frees the lock behind a fork, in the parent and in the child.
    pub(crate) fn after_fork(&self) {
        // Changed under the lock alone, so by this thread where it is set.
        if self.is_held_here() && self.forking.swap(false, Relaxed) {
            // SAFETY: taken by `before_fork`. The child's thread has the pointer of the one that forked.
            unsafe { self.unlock() };
        }
    }

    /// Frees the lock in a forked child where a thread of the parent's has it, which does not exist here: what it guards is in order
    /// at every moment.
    #[cfg(has_stock)]
    pub(crate) fn in_child(&self) {
        if !self.is_held_here() {
            self.word.store(0, Relaxed);
        }
    }

    /// Whether [`before_fork`](Self::before_fork) has taken it for this thread.
    pub(crate) fn is_taken_for_fork(&self) -> bool {
        self.is_held_here() && self.forking.load(Relaxed)
    }

    fn try_lock(&self, taken: usize) -> bool {
        self.word.compare_exchange(0, taken, Acquire, Relaxed).is_ok()
    }

    /// The half of the word that has [`WAITERS`]: what the kernel sleeps on. Where another thread with the same half has taken
    /// the lock meanwhile, it wakes those who sleep, too.
    fn sleepers(&self) -> *const u32 {
        let half = if cfg!(target_endian = "big") { size_of::<usize>() / size_of::<u32>() - 1 } else { 0 };
        self.word.as_ptr().cast_const().cast::<u32>().wrapping_add(half)
    }

    #[cold]
    fn lock_contended(&self, this: usize) {
        for _ in 0..SPINS {
            if self.word.load(Relaxed) == 0 && self.try_lock(this) {
                return;
            }
            core::hint::spin_loop();
        }
        // Whoever has slept cannot know whether others still do.
        while !self.try_lock(this | WAITERS) {
            let found = self.word.load(Relaxed);
            let marked = found | WAITERS;
            if found == 0 || found != marked && self.word.compare_exchange(found, marked, Relaxed, Relaxed).is_err() {
                continue;
            }
            // SAFETY: the word is borrowed.
            unsafe { futex::wait_at(self.sleepers(), marked as u32, None) };
        }
    }
}

// SAFETY: the word goes from 0 to a thread's pointer by a compare and swap, back by the holder alone, and the orderings
// are a lock's.
unsafe impl RawLock for Mutex {
    #[inline]
    fn lock(&self) {
        let this = this_thread();
        if !self.try_lock(this) {
            self.lock_contended(this);
        }
    }

    #[inline]
    unsafe fn unlock(&self) {
        if self.word.swap(0, Release) & WAITERS != 0 {
            futex::wake_at(self.sleepers(), 1);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    extern crate std;
    use core::cell::UnsafeCell;
    use std::thread;

    use super::*;

    struct Counter {
        mutex: Mutex,
        count: UnsafeCell<u64>,
    }

    // SAFETY: the count is changed under the lock.
    unsafe impl Sync for Counter {}

    impl Counter {
        fn add(&self) {
            self.mutex.lock();
            // SAFETY: the lock is held, and taken above.
            unsafe {
                *self.count.get() += 1;
                self.mutex.unlock();
            }
        }
    }

    #[test]
    fn threads_take_turns() {
        const THREADS: u64 = 4;
        const EACH: u64 = 200_000;
        let counter = Counter { mutex: Mutex::new(), count: UnsafeCell::new(0) };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..EACH).for_each(|_| counter.add()));
            }
        });
        assert_eq!(counter.count.into_inner(), THREADS * EACH);
        assert_eq!(counter.mutex.word.into_inner(), 0);
    }

    #[test]
    fn a_holder_is_known_to_itself_alone() {
        let mutex = Mutex::new();
        assert!(!mutex.is_held_here());
        mutex.lock();
        assert!(mutex.is_held_here());
        assert!(!thread::scope(|scope| scope.spawn(|| mutex.is_held_here()).join()).expect("no panic"));
        // A fork of a handler that has interrupted the holder.
        mutex.before_fork();
        mutex.after_fork();
        assert!(mutex.is_held_here(), "the holder still has it");
        // SAFETY: taken above.
        unsafe { mutex.unlock() };
        mutex.before_fork();
        assert!(mutex.is_held_here());
        mutex.after_fork();
        assert!(!mutex.is_held_here());
    }
}
