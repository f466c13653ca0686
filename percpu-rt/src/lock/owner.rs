//! Who holds a copy: a thread, on one side of a fork.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::arch;

/// Forks that this process is the child of, since set-up; in the upper bits, where the thread's part has none.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The thread that this process began with, if it is a forked child: the only one of its parent's.
static SURVIVOR: AtomicU64 = AtomicU64::new(0);

/// Bits of the thread's part: user space ends below them, also with five levels of page tables, where the kernel gives
/// addresses beyond only to those who ask for them by a hint. A thread whose block was put there by hand would be taken for
/// one of another generation, whose copies nobody waits for: waiting for it panics, and nothing else.
const THREAD_BITS: u32 = 48;

/// A thread, on one side of a fork; never 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Owner(u64);

impl Owner {
    /// The calling thread.
    #[inline(always)]
    pub(super) fn this_thread() -> Self {
        Self(thread() | GENERATION.load(Relaxed))
    }

    /// As the lock's words keep it.
    #[inline(always)]
    pub(super) fn to_word(self) -> u64 {
        self.0
    }

    /// Back from a word; `None` where nobody has been there yet.
    pub(super) fn from_word(word: u64) -> Option<Self> {
        (word != 0).then_some(Self(word))
    }

    /// Whether this is the calling thread, also if it has been forked since.
    pub(super) fn is_this_thread(self) -> bool {
        self.thread() == thread() && self.is_alive()
    }

    /// Whether the thread may still exist: one of the parent's threads does not, but for the one that forked.
    pub(super) fn is_alive(self) -> bool {
        self.0 - self.thread() == GENERATION.load(Relaxed) || self.thread() == SURVIVOR.load(Relaxed)
    }

    fn thread(self) -> u64 {
        self.0 & ((1 << THREAD_BITS) - 1)
    }
}

#[inline(always)]
fn thread() -> u64 {
    arch::thread_pointer() as u64
}

/// Tells that this process has just become a forked child of itself, and its only thread is the calling one.
///
/// Generations repeat after 65,536 nested forks; a copy held for that long would count as held by a live thread.
#[cfg(platform = "hosted")]
pub(crate) fn after_fork() {
    SURVIVOR.store(thread(), Relaxed);
    // Wraps in the upper bits.
    GENERATION.store(GENERATION.load(Relaxed).wrapping_add(1 << THREAD_BITS), Relaxed);
}
