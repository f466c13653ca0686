//! The lock around an allocator's map.

use core::sync::atomic::{AtomicBool, Ordering};

/// Mutual exclusion, by whatever means the platform has.
///
/// It is held for some hundred nanoseconds at a time: never while pages are populated, given back, or zeroed. Objects of
/// many pages take longer, about a microsecond each 128 KiB; that is less than populating them takes, but others wait for it. Where
/// one is refused that may not sleep, or that nothing helps, holes are looked at for some ten microseconds at a time; whoever calls the
/// allocator with the lock already taken holds it across them.
///
/// # Safety
///
/// Between a return of [`lock`](Self::lock) and the [`unlock`](Self::unlock) that follows, no other call of `lock` returns, and what was
/// written before an `unlock` is seen behind the next `lock`.
pub unsafe trait RawLock {
    /// Waits until the lock is free and takes it.
    fn lock(&self);

    /// Frees the lock.
    ///
    /// # Safety
    ///
    /// The caller has taken it.
    unsafe fn unlock(&self);
}

// SAFETY: what it is a reference to keeps the promises.
unsafe impl<L: RawLock> RawLock for &L {
    #[inline]
    fn lock(&self) {
        L::lock(self);
    }

    #[inline]
    unsafe fn unlock(&self) {
        // SAFETY: the caller's promise.
        unsafe { L::unlock(self) };
    }
}

/// A lock that spins: for one thread, for tests, and where whoever holds it cannot be preempted.
#[derive(Debug, Default)]
pub struct SpinLock(AtomicBool);

impl SpinLock {
    /// A free lock.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }
}

// SAFETY: one thread at a time changes the flag from false to true, and the orderings are a lock's.
unsafe impl RawLock for SpinLock {
    #[inline]
    fn lock(&self) {
        while self.0.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            while self.0.load(Ordering::Relaxed) {
                core::hint::spin_loop();
            }
        }
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}
