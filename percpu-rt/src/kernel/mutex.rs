//! A lock that is held with interrupts off, and knows whether waiting for it would be waiting for oneself.

use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::arch::{interrupts, thread_pointer};
use crate::chunk::RawLock;

/// Mutual exclusion between CPUs, and between a CPU and what interrupts it.
#[derive(Debug)]
pub(crate) struct Mutex(
    /// 0, or the holder: a CPU, which interrupts do not take away.
    AtomicUsize,
);

impl Mutex {
    /// A free one.
    pub(crate) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Whether this CPU holds it: what asks has interrupted it although its interrupts are off, and waiting would never end.
    #[inline]
    pub(crate) fn is_held_here(&self) -> bool {
        // Or the thread might be moved to another CPU in the middle of the question.
        interrupts::enter();
        let held = self.0.load(Relaxed) == thread_pointer();
        // SAFETY: entered above.
        unsafe { interrupts::leave() };
        held
    }
}

/// Nobody forks: whoever may wait for it takes it.
impl Mutex {
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self) -> bool {
        !self.is_held_here()
    }

    /// As [`enter`](Self::enter): nobody sleeps.
    #[inline]
    #[must_use]
    pub(crate) fn enter_awake(&self) -> bool {
        self.enter()
    }

    /// # Safety
    ///
    /// The caller has entered.
    #[inline]
    pub(crate) unsafe fn leave(&self) {}
}

// SAFETY: the word goes from 0 to a CPU's number by a compare and swap, back by the holder alone, and the orderings are a lock's.
unsafe impl RawLock for Mutex {
    #[inline]
    fn lock(&self) {
        interrupts::enter();
        while self.0.compare_exchange_weak(0, thread_pointer(), Acquire, Relaxed).is_err() {
            while self.0.load(Relaxed) != 0 {
                core::hint::spin_loop();
            }
        }
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.0.store(0, Release);
        // SAFETY: entered by `lock`, on this CPU: the caller holds the lock.
        unsafe { interrupts::leave() };
    }
}
