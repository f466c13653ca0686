//! The methods of a lock's handle.

use super::LockOnError;
use super::claim;
use super::guard::LocalLockGuard;
use super::raw::{LocalLock, Place};
use super::steps::View as _;
use crate::arch::LockWords;
use crate::arch::Place as Variable;
use crate::cpu::CpuId;
use crate::var::bound::Handed;
use crate::var::handle::PerCpu;
use crate::var::kind::{IsDynamic, IsLock};

/// What a lock's handle of one kind can do.
macro_rules! locking {
    ($kind:ty) => {
        // The bounds stand at the methods, where a type that does not fulfil one gets the message of `Handed`.
        impl<P: Variable, T: 'static> PerCpu<P, LocalLock<T>, $kind> {
            /// Locks this CPU's copy, and sleeps for as long as another thread holds it.
            ///
            /// All copies of one lock are one place in a program's lock order: whoever holds one must not lock another.
            /// Debug builds refuse it always, release builds where the thread would wait.
            ///
            /// Context: threads, after set-up; in a signal handler only where no interrupted code can hold the lock. Costs
            /// a restartable sequence here and a store at the guard's drop, while nobody waits. Whoever sleeps interrupts, by a
            /// system call, every CPU that runs the process. Linux: `local_lock`.
            ///
            /// In a kernel interrupts are off from here to the guard's drop, and stay off where the guard is forgotten. Interrupts lock
            /// as threads do; what comes although interrupts are off, as NMIs do, does not: see `install`. Costs some 20 cycles.
            ///
            /// # Panics
            ///
            /// Where the sleep would have no end: the thread holds a copy of this lock, on whichever CPU, or the holder is
            /// known to be a thread that did not survive a `fork`. A thread is known by its thread pointer, so one that
            /// inherits that of a thread which ended with a forgotten guard is taken for the holder. Children of `_Fork` or of a
            /// `clone` without glibc are not noticed: there, waiting for a thread of the parent's has no end.
            #[doc(alias = "local_lock")]
            #[inline(always)]
            pub fn lock(&self) -> LocalLockGuard<'_, T>
            where
                T: Handed,
            {
                let place = self.lock_place();
                if cfg!(debug_assertions) {
                    place.assert_not_mine();
                }
                let copy = place.try_acquire().unwrap_or_else(|| place.acquire_slowly());
                // SAFETY: acquired in the line above.
                unsafe { self.guard(copy) }
            }

            /// Locks this CPU's copy if it is free.
            ///
            /// Context: any, after set-up; in a kernel as [`lock`](Self::lock), which it costs as well. Linux: `local_trylock`.
            #[doc(alias = "local_trylock")]
            #[inline(always)]
            pub fn try_lock(&self) -> Option<LocalLockGuard<'_, T>>
            where
                T: Handed,
            {
                let place = self.lock_place();
                // SAFETY: acquired in this line.
                place.try_acquire().map(|copy| unsafe { self.guard(copy) })
            }

            /// Calls `f` with this CPU's copy locked.
            ///
            /// Context, cost and panics as [`lock`](Self::lock).
            #[inline(always)]
            pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R
            where
                T: Handed,
            {
                f(&mut self.lock())
            }

            /// Locks `cpu`'s copy from whichever CPU, and sleeps for as long as another thread holds it.
            ///
            /// For what happens rarely, such as draining the caches of all CPUs: it makes `cpu` restart what it does by a
            /// system call.
            ///
            /// Context: threads. Linux: `queue_work_on` or `smp_call_function_single` serve where Linux has a `local_lock`.
            ///
            /// # Errors
            ///
            /// [`LockOnError::Unsupported`] where the kernel has no such system call: Linux before 5.10, or a sandbox that forbids
            /// `membarrier`. It can also come after calls that succeeded, where a sandbox was entered since. Nothing has changed then.
            /// In a kernel always: have that CPU lock its own copy, by an interprocessor interrupt.
            ///
            /// # Panics
            ///
            /// As [`lock`](Self::lock).
            pub fn lock_on(&self, cpu: CpuId) -> Result<LocalLockGuard<'_, T>, LockOnError>
            where
                T: Handed,
            {
                let place = self.lock_place();
                claim::claim(place, cpu)?;
                // SAFETY: the copy just claimed: a lock in a live unit, reached by shared references.
                Ok(unsafe { LocalLockGuard::claimed(&*self.per_cpu_ptr(cpu)) })
            }

            #[inline(always)]
            fn lock_place(&self) -> Place {
                // SAFETY: the variable lives in every unit for as long as its place, which guards borrow; its words are
                // accessed in this module alone.
                unsafe { Place::new(self.place()) }
            }

            /// # Safety
            ///
            /// `copy` is one of this lock, which the thread has just acquired.
            #[inline(always)]
            unsafe fn guard(&self, copy: *mut LockWords) -> LocalLockGuard<'_, T> {
                // SAFETY: the words come first in the lock, which lives for as long as `self` is borrowed and is reached by
                // shared references alone; the caller has acquired it.
                unsafe { LocalLockGuard::acquired(&*copy.cast::<LocalLock<T>>()) }
            }
        }
    };
}
locking!(IsLock);
locking!(IsDynamic);
