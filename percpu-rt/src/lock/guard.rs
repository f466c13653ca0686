//! The guard of a locked copy.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::raw::LocalLock;
use super::steps;
use crate::{arch, platform};

/// Exclusive access to one CPU's copy of a [`LocalLock`]; its drop unlocks.
///
/// It stays on the thread that locked. The thread may migrate; the guard goes on naming the copy it was made for.
#[must_use = "the copy is unlocked as soon as the guard is dropped"]
pub struct LocalLockGuard<'a, T> {
    lock: &'a LocalLock<T>,
    /// Whether it was taken by a claim, and not by its own CPU.
    claimed: bool,
    // The thread that locked is the one that is taken for the holder.
    not_send: PhantomData<*mut ()>,
}

impl<'a, T> LocalLockGuard<'a, T> {
    /// # Safety
    ///
    /// This thread has just acquired `lock`.
    #[inline(always)]
    pub(super) unsafe fn acquired(lock: &'a LocalLock<T>) -> Self {
        Self { lock, claimed: false, not_send: PhantomData }
    }

    /// # Safety
    ///
    /// This thread has just claimed `lock`.
    pub(super) unsafe fn claimed(lock: &'a LocalLock<T>) -> Self {
        Self { lock, claimed: true, not_send: PhantomData }
    }
}

impl<T> Drop for LocalLockGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        let words = self.lock.words();
        if self.claimed {
            steps::release_claim(words, platform::wake_all);
        } else {
            steps::release(words, platform::wake_all);
            // SAFETY: acquired, as the guard was not made by a claim, and free.
            unsafe { arch::freed() };
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
