//! The guard of a locked copy.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::claim;
use super::raw::{LocalLock, Place};

/// Exclusive access to one CPU's copy of a [`LocalLock`]; its drop unlocks.
///
/// It stays on the thread that locked. The thread may migrate; the guard goes on naming the copy it was made for.
#[must_use = "the copy is unlocked as soon as the guard is dropped"]
pub struct LocalLockGuard<'a, T> {
    lock: &'a LocalLock<T>,
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
    /// This thread has just acquired `lock`, a copy of the lock at `place`.
    #[inline(always)]
    pub(super) unsafe fn acquired(lock: &'a LocalLock<T>, place: Place) -> Self {
        Self { lock, held: Held::Locally(place), not_send: PhantomData }
    }

    /// # Safety
    ///
    /// This thread has just claimed `lock`.
    pub(super) unsafe fn claimed(lock: &'a LocalLock<T>) -> Self {
        Self { lock, held: Held::Remotely, not_send: PhantomData }
    }
}

impl<T> Drop for LocalLockGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        match self.held {
            Held::Locally(place) => place.release(self.lock.words()),
            Held::Remotely => claim::release(self.lock.words()),
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
