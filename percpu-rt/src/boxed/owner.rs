//! A dynamic variable's owner.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;

use super::copies::Copies;
use super::memory;
use super::object::Object;
use super::zeroable::Zeroable;
use crate::chunk::AllocError;
use crate::cpu::{CpuId, possible_cpus};
use crate::var::handle::PerCpu;
use crate::var::kind::IsDynamic;

/// A variable with a copy of `T` on each CPU, which is made and dropped while the program runs.
///
/// It is used as a static is, by the same methods at the same cost: operations where `T` is a word, references where `T` is
/// [`Sync`], locks where it is a [`LocalLock`](crate::LocalLock). They are those of [`PerCpu`], to which it dereferences.
///
/// ```
/// use percpu_rt::{PerCpuBox, possible_cpus};
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// let hits = PerCpuBox::try_new(0_u64)?;
/// hits.inc();
/// assert_eq!(hits.sum(), 1);
/// assert_eq!(possible_cpus().map(|cpu| hits.read_on(cpu)).sum::<u64>(), 1);
///
/// #[derive(Default)]
/// struct Stats { requests: AtomicU64, bytes: AtomicU64 }
///
/// let stats = PerCpuBox::try_new_with(|_| Stats::default())?;
/// stats.with(|stats| stats.bytes.fetch_add(100, Relaxed));
/// assert_eq!(stats.iter().map(|(_, stats)| stats.bytes.load(Relaxed)).sum::<u64>(), 100);
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
///
/// Two things differ from a static, since here the type alone decides: `with`, `on` and the like panic for a word (the test
/// folds away), and a `&'static U` is an object. In a function over all `T`, `iter` is that of objects.
///
/// As large as a pointer, and so is an `Option` of it. Linux: what `alloc_percpu` returns, with its type and its end.
pub struct PerCpuBox<T: 'static> {
    handle: PerCpu<Object, T, IsDynamic>,
    // Not shared or sent but by the lines below.
    values: PhantomData<*mut T>,
}

// SAFETY: whoever gets the box may reach and drop every copy, from whichever thread.
unsafe impl<T: Send> Send for PerCpuBox<T> {}
// SAFETY: what a shared box lends is on the methods' bounds, as with a static: operations of words, `&T` where `T: Sync`, `&mut T` of
// a lock's value where that is `Send`.
unsafe impl<T: Send> Sync for PerCpuBox<T> {}

impl<T: Send + 'static> PerCpuBox<T> {
    /// A variable whose copies are all `value`.
    ///
    /// Context: threads. Costs an allocation, and a write on each possible CPU. Linux: `alloc_percpu`.
    ///
    /// # Errors
    ///
    /// As [`alloc_percpu`](crate::alloc_percpu).
    ///
    /// # Panics
    ///
    /// Where `clone` does; as [`try_new_with`](Self::try_new_with).
    #[doc(alias = "alloc_percpu")]
    #[track_caller]
    pub fn try_new(value: T) -> Result<Self, AllocError>
    where
        T: Clone,
    {
        Self::try_new_with(|_| value.clone())
    }

    /// As [`try_new`](Self::try_new), for programs that end where there is no memory.
    ///
    /// # Panics
    ///
    /// Where `try_new` fails.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Self
    where
        T: Clone,
    {
        Self::try_new(value).unwrap_or_else(|error| panic!("cannot allocate a per-CPU variable: {error}"))
    }

    /// A variable whose copies `f` makes, in the order of [`possible_cpus`].
    ///
    /// Context: threads. Costs an allocation, and a call for each possible CPU.
    ///
    /// # Errors
    ///
    /// As [`alloc_percpu`](crate::alloc_percpu); `f` is not called then.
    ///
    /// # Panics
    ///
    /// Where `f` does: the copies that it has made are dropped, and the memory is freed.
    #[track_caller]
    pub fn try_new_with(mut f: impl FnMut(CpuId) -> T) -> Result<Self, AllocError> {
        let mut copies = Copies { pointer: memory::allocate::<T>()?, count: 0 };
        for cpu in possible_cpus() {
            let value = f(cpu);
            // SAFETY: memory for a `T` on this CPU that nobody knows yet.
            unsafe { copies.pointer.per_cpu_ptr(cpu).write(value) };
            copies.count += 1;
        }
        // SAFETY: every copy has been written.
        Ok(unsafe { Self::from_copies(copies) })
    }

    /// A variable whose copies are zero, which nothing has to be written for.
    ///
    /// Context: threads. Costs an allocation. Linux: `alloc_percpu`, whose objects are always zero.
    ///
    /// # Errors
    ///
    /// As [`alloc_percpu`](crate::alloc_percpu).
    #[inline(always)]
    #[track_caller]
    pub fn try_zeroed() -> Result<Self, AllocError>
    where
        T: Zeroable,
    {
        let copies = Copies { pointer: memory::allocate::<T>()?, count: usize::MAX };
        // SAFETY: every copy is zero, and that is a `T`.
        Ok(unsafe { Self::from_copies(copies) })
    }

    /// # Safety
    ///
    /// All copies are initialised.
    #[inline(always)]
    unsafe fn from_copies(copies: Copies<T>) -> Self {
        let pointer = ManuallyDrop::new(copies).pointer.cast();
        // SAFETY: initialised copies (the caller) that live for as long as the box, which is the only one to know them; a
        // dynamic variable's kind is `IsDynamic`.
        let handle = unsafe { PerCpu::from_place(Object::new(pointer)) };
        Self { handle, values: PhantomData }
    }
}

impl<T: 'static> Drop for PerCpuBox<T> {
    /// Drops every copy and frees the variable.
    ///
    /// Context: any, as far as `T`'s drop goes: where a signal handler has interrupted the allocator, a later call of the allocator frees it.
    /// Costs those drops and, for most of many of a size, a restartable sequence or two; else as [`free_percpu`](crate::free_percpu).
    #[inline(always)]
    fn drop(&mut self) {
        drop(Copies::<T> { pointer: self.handle.as_place().pointer().cast(), count: usize::MAX });
    }
}

impl<T: 'static> Deref for PerCpuBox<T> {
    type Target = PerCpu<Object, T, IsDynamic>;

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &self.handle
    }
}

impl<T: 'static> fmt::Debug for PerCpuBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerCpuBox").field("type", &core::any::type_name::<T>()).finish_non_exhaustive()
    }
}
