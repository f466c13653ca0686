//! A lock that knows whether waiting for it would be waiting for oneself.
//!
//! What it guards takes some hundred nanoseconds, so waiters spin for a while before they sleep. The word names the
//! thread that holds it: a signal handler can tell that it has interrupted the holder, which goes on only when the
//! handler returns. And it survives a fork: whoever forks takes it before and frees it on both sides.
//!
//! The C library takes its own locks for a fork, too, and behind this one. A handler that has interrupted `malloc` must not wait
//! then: the fork waits for the thread beneath it. So what handlers may call [enters](Mutex::enter), which a fork refuses.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicU32, AtomicUsize, compiler_fence, fence};

use super::futex;
use crate::arch;
use crate::chunk::RawLock;

/// Mutual exclusion between the threads of a process.
#[derive(Debug)]
pub(crate) struct Mutex {
    /// 0, or the holder's thread pointer, with [`WAITERS`] where somebody may sleep.
    word: AtomicUsize,
    /// Forks of the holder's that it was taken for, and that are under way: more than one where a handler forks in the midst of another.
    forking: AtomicU32,
    /// Threads that fork, and have it or wait for it.
    forks: AtomicU32,
    /// Of the holder alone: 1 where it has entered, 2 where it has taken the lock within.
    depth: AtomicU32,
}

/// A thread may sleep until the word is 0. No thread pointer has the bit.
const WAITERS: usize = 1;

/// Looks at a held lock before sleeping: some microseconds.
const SPINS: u32 = 200;

/// The same of those who must not sleep: some milliseconds, in which a holder that was preempted has its turn.
const LONG_SPINS: u32 = 100_000;

/// What no other live thread is called: all of its thread pointer. A part of it would have two threads take each other for
/// themselves, whose stacks are as far apart as the part tells.
#[inline]
fn this_thread() -> usize {
    arch::thread_pointer()
}

impl Mutex {
    /// A free one.
    pub(crate) const fn new() -> Self {
        Self {
            word: AtomicUsize::new(0),
            forking: AtomicU32::new(0),
            forks: AtomicU32::new(0),
            depth: AtomicU32::new(0),
        }
    }

    /// Takes the lock for all that this thread does until [`leave`](Self::leave), which may take it within. False, and nothing is
    /// taken, where this thread has it already or another one forks: a signal handler cannot know what that one waits for.
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self) -> bool {
        let this = this_thread();
        let entered = self.try_lock(this) || !self.is_held_here() && self.enter_contended(this);
        if entered {
            self.depth.store(1, Relaxed);
        }
        compiler_fence(SeqCst);
        entered
    }

    /// As [`enter`](Self::enter), for whoever must not sleep: false also where another thread has it for long.
    #[inline]
    #[must_use]
    pub(crate) fn enter_awake(&self) -> bool {
        let this = this_thread();
        let entered = self.try_lock(this) || !self.is_held_here() && self.enter_awake_contended(this);
        if entered {
            self.depth.store(1, Relaxed);
        }
        compiler_fence(SeqCst);
        entered
    }

    /// Takes the lock if it is free now, or is soon; not where this thread has it.
    pub(crate) fn try_for_a_while(&self) -> bool {
        self.spin(SPINS, this_thread(), || false)
    }

    /// Ends what [`enter`](Self::enter) has begun.
    ///
    /// # Safety
    ///
    /// The caller has entered.
    #[inline]
    pub(crate) unsafe fn leave(&self) {
        compiler_fence(SeqCst);
        self.depth.store(0, Relaxed);
        self.free();
    }

    /// Whether the calling thread holds it: it runs a signal handler then, and waiting would never end.
    #[inline]
    pub(crate) fn is_held_here(&self) -> bool {
        self.word.load(Relaxed) & !WAITERS == this_thread()
    }

    /// Takes the lock for a fork, unless the fork comes from a handler that has interrupted the holder: that one goes
    /// on in the parent and in the child.
    pub(crate) fn before_fork(&self) {
        self.forks.fetch_add(1, Relaxed);
        // With the fence of whoever enters: one that sees the word taken by this thread sees the fork.
        fence(SeqCst);
        let forking = if self.is_held_here() {
            self.forking.load(Relaxed)
        } else {
            self.lock();
            self.forking.store(1, Relaxed);
            0
        };
        if forking > 0 {
            self.forking.store(forking + 1, Relaxed);
        }
        // Whoever is to be refused may be asleep.
        futex::wake_at(self.sleepers(), i32::MAX);
    }

    /// Frees the lock behind a fork, in the parent and in the child.
    pub(crate) fn after_fork(&self) {
        // None where a child has forgotten them.
        let _ = self.forks.fetch_update(Relaxed, Relaxed, |forks| forks.checked_sub(1));
        // Changed under the lock alone, so by this thread where it is set. The child's thread has the pointer of the one that forked.
        let forking = self.forking.load(Relaxed);
        if self.is_held_here() && forking > 0 {
            self.forking.store(forking - 1, Relaxed);
            if forking == 1 {
                self.free();
            }
        }
    }

    /// To be called in a forked child: no other thread forks there.
    pub(crate) fn forget_other_forks(&self) {
        self.forks.store(0, Relaxed);
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
        self.is_held_here() && self.forking.load(Relaxed) > 0
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
        if self.is_held_here() {
            assert_eq!(self.depth.load(Relaxed), 1, "a thread waits for itself");
            self.depth.store(2, Relaxed);
            // What it guards is a handler's no more.
            return compiler_fence(SeqCst);
        }
        let taken = self.acquire(this, || false);
        debug_assert!(taken, "nothing refuses");
    }

    #[cold]
    fn enter_contended(&self, this: usize) -> bool {
        let entered = self.acquire(this, || self.somebody_forks());
        if !entered {
            // The last wake may have been meant for the fork.
            futex::wake_at(self.sleepers(), 1);
        }
        entered
    }

    #[cold]
    fn enter_awake_contended(&self, this: usize) -> bool {
        self.spin(LONG_SPINS, this, || self.somebody_forks())
    }

    /// Whether a thread forks, to whoever has looked at the word before.
    fn somebody_forks(&self) -> bool {
        fence(SeqCst);
        self.forks.load(Relaxed) > 0
    }

    /// Takes the lock if it is free within so many looks, or until `refuses` says so.
    fn spin(&self, looks: u32, this: usize, refuses: impl Fn() -> bool) -> bool {
        for _ in 0..looks {
            if self.word.load(Relaxed) == 0 && self.try_lock(this) {
                return true;
            }
            if refuses() {
                return false;
            }
            core::hint::spin_loop();
        }
        false
    }

    /// Waits until the lock is free and takes it; false where `refuses` says so meanwhile, which is asked behind a look at the word.
    fn acquire(&self, this: usize, refuses: impl Fn() -> bool) -> bool {
        if self.spin(SPINS, this, || false) {
            return true;
        }
        // Whoever has slept cannot know whether others still do.
        while !self.try_lock(this | WAITERS) {
            let found = self.word.load(Relaxed);
            let marked = found | WAITERS;
            if found == 0 || found != marked && self.word.compare_exchange(found, marked, Relaxed, Relaxed).is_err() {
                continue;
            }
            if refuses() {
                return false;
            }
            // SAFETY: the word is borrowed.
            unsafe { futex::wait_at(self.sleepers(), marked as u32, None) };
        }
        true
    }

    #[inline]
    fn free(&self) {
        if self.word.swap(0, Release) & WAITERS != 0 {
            futex::wake_at(self.sleepers(), 1);
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
        if self.depth.load(Relaxed) == 2 {
            compiler_fence(SeqCst);
            self.depth.store(1, Relaxed);
        } else {
            self.free();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
