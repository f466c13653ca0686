//! A value that a lock guards.

use core::cell::UnsafeCell;

use super::lock::RawLock;

/// A value and its lock.
pub(super) struct Locked<L, T> {
    lock: L,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by one thread at a time, under the lock.
unsafe impl<L: Sync, T: Send> Sync for Locked<L, T> {}

impl<L, T> Locked<L, T> {
    pub(super) const fn new(lock: L, value: T) -> Self {
        Self { lock, value: UnsafeCell::new(value) }
    }

    /// The value, where nobody else has it.
    pub(super) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<L: RawLock, T> Locked<L, T> {
    /// The value, for whoever has taken the lock by itself.
    ///
    /// # Safety
    ///
    /// The lock is held for as long as the value is looked at.
    pub(super) unsafe fn get_held(&self) -> &T {
        // SAFETY: the caller's promise: nobody else has it.
        unsafe { &*self.value.get() }
    }

    /// Holds the lock while `change` runs, which must not come here again.
    #[inline]
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        struct Unlock<'a, L: RawLock>(&'a L);
        impl<L: RawLock> Drop for Unlock<'_, L> {
            fn drop(&mut self) {
                // SAFETY: taken below, before this guard exists.
                unsafe { self.0.unlock() };
            }
        }
        self.lock.lock();
        let _unlock = Unlock(&self.lock);
        // SAFETY: the lock is held until this returns, so nobody else has the value.
        change(unsafe { &mut *self.value.get() })
    }
}
