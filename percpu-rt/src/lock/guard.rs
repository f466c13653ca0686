//! The guard of a locked copy.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::claim;
use super::raw::{LocalLock, Place};
use crate::arch::LockWords;

/// Exclusive access to one CPU's copy of a [`LocalLock`]; its drop unlocks.
///
/// It stays on the thread that locked. The thread may migrate; the guard goes on naming the copy it was made for.
#[must_use = "the copy is unlocked as soon as the guard is dropped"]
pub struct LocalLockGuard<'a, T> {
    lock: &'a LocalLock<T>,
    words: &'a LockWords,
    held: Held,
    // The thread that locked is the one that is taken for the holder.
    not_send: PhantomData<*mut ()>,
}

/// How the copy was taken, and so how it is freed.
enum Held {
    /// By its own CPU; freed through the lock's place.
    Locally(Place),
    /// By a claim.
    Remotely,
}

impl<'a, T> LocalLockGuard<'a, T> {
    /// # Safety
    ///
    /// `words` are those of `lock`, and this thread has just acquired them at `place`.
    #[inline(always)]
    pub(super) unsafe fn acquired(lock: &'a LocalLock<T>, words: &'a LockWords, place: Place) -> Self {
        Self { lock, words, held: Held::Locally(place), not_send: PhantomData }
    }

    /// # Safety
    ///
    /// `words` are those of `lock`, and this thread has just claimed them.
    pub(super) unsafe fn claimed(lock: &'a LocalLock<T>, words: &'a LockWords) -> Self {
        Self { lock, words, held: Held::Remotely, not_send: PhantomData }
    }
}

impl<T> Drop for LocalLockGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        match self.held {
            Held::Locally(place) => place.release(self.words),
            Held::Remotely => claim::release(self.words),
        }
    }
}

impl<T> Deref for LocalLockGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: this thread holds the copy, from `acquired` or `claimed` to the drop, and the guard is borrowed.
        unsafe { &*self.lock.value() }
    }
}

impl<T> DerefMut for LocalLockGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { &mut *self.lock.value() }
    }
}

// SAFETY: all that a shared guard gives away is `&T`.
unsafe impl<T: Sync> Sync for LocalLockGuard<'_, T> {}

impl<T: fmt::Debug> fmt::Debug for LocalLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalLockGuard").field(&**self).finish()
    }
}
