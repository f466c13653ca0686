//! Objects that are allocated ahead, for where an allocation must not fail.

use core::alloc::Layout;
use core::fmt;

use super::pointer::PerCpuPtr;
use super::raw::{alloc_percpu_batch, free_percpu};
use crate::chunk::{AllocError, AllocFlags};

/// Up to `N` objects that are there already: taking one cannot fail, takes no lock and makes no system call.
///
/// ```
/// use core::alloc::Layout;
/// use percpu_rt::{Reservation, free_percpu, possible_cpus};
///
/// // Where failing is possible ..
/// let mut spare = Reservation::<2>::try_new(Layout::new::<u64>())?;
/// // .. for where it is not, a signal handler or the middle of a change.
/// let object = spare.take().expect("two were reserved");
/// assert_eq!((spare.len(), possible_cpus().count() > 0), (1, true));
/// // SAFETY: taken above, and not used.
/// unsafe { free_percpu(object) };
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
///
/// What is not taken is freed at the reservation's drop. Linux has `radix_tree_preload` and `mempool_t` for other memory, and nothing
/// for per-CPU objects.
pub struct Reservation<const N: usize> {
    objects: [Option<PerCpuPtr<u8>>; N],
    len: usize,
}

impl<const N: usize> Reservation<N> {
    /// Allocates `N` objects of `layout`, zero on every possible CPU.
    ///
    /// Context: threads. Costs `N` allocations.
    ///
    /// # Errors
    ///
    /// As [`alloc_percpu_batch`]: all objects are there, or none.
    #[track_caller]
    pub fn try_new(layout: Layout) -> Result<Self, AllocError> {
        let mut objects = [None; N];
        alloc_percpu_batch(layout, AllocFlags::NONE, &mut objects)?;
        Ok(Self { objects, len: N })
    }

    /// One of the objects, which is the caller's from now on; `None` once all are taken.
    ///
    /// Context: any. Costs a load.
    #[inline]
    pub fn take(&mut self) -> Option<PerCpuPtr<u8>> {
        self.len = self.len.checked_sub(1)?;
        self.objects[self.len].take()
    }

    /// Objects that are left.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether all are taken.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<const N: usize> Drop for Reservation<N> {
    /// Frees what is left.
    ///
    /// Context: as [`free_percpu`].
    fn drop(&mut self) {
        while let Some(object) = self.take() {
            // SAFETY: allocated by `try_new`, and given to nobody.
            unsafe { free_percpu(object) };
        }
    }
}

impl<const N: usize> fmt::Debug for Reservation<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("len", &self.len).finish_non_exhaustive()
    }
}
