//! Per-CPU pointers of dynamic objects.

use core::fmt;
use core::ptr::NonNull;

use super::area::Stamp;
use crate::arch;
use crate::cpu::CpuId;
use crate::platform;

/// A per-CPU pointer: the address that an object would have in the template's space. Linux: `T __percpu *`.
///
/// It is as large as a pointer, and no address of memory: adding a CPU's offset gives the address of that CPU's copy. An
/// `Option` of it is no larger. With the feature `checked` it is twice as large: it remembers which allocation it is of, unless it
/// was made by [`new`](Self::new).
///
/// Pointers to copies are safe to compute. Using one is on the caller: the object is alive, of type `T`, its alignment was
/// asked for, and nobody else uses this copy in a way that is at odds.
///
/// It is `Send` and `Sync` where `T: Send`: the number itself says nothing, but a type that is built on it hands values of `T` to
/// other threads, and is to do so on purpose where they may not go there.
///
/// ```
/// use core::alloc::Layout;
/// use percpu_rt::{AllocFlags, PerCpuPtr, alloc_percpu, free_percpu, possible_cpus};
///
/// let hits: PerCpuPtr<u64> = alloc_percpu(Layout::new::<u64>(), AllocFlags::NONE)?.cast();
/// for cpu in possible_cpus() {
///     // SAFETY: allocated above for a `u64`, and known to this thread alone.
///     assert_eq!(unsafe { hits.per_cpu_ptr(cpu).read() }, 0);
/// }
/// // SAFETY: nobody uses it any more.
/// unsafe { free_percpu(hits.cast()) };
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
#[cfg_attr(not(feature = "checked"), repr(transparent))]
pub struct PerCpuPtr<T> {
    // Without provenance: a copy is reached by that of its unit.
    address: NonNull<T>,
    stamp: Stamp,
}

// SAFETY: a number; see above for the bound.
unsafe impl<T: Send> Send for PerCpuPtr<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for PerCpuPtr<T> {}

impl<T> PerCpuPtr<T> {
    /// The pointer with this address, as [`as_ptr`](Self::as_ptr) gives it; `None` for null.
    #[inline]
    #[must_use]
    pub fn new(address: *mut T) -> Option<Self> {
        NonNull::new(address).map(|address| Self { address, stamp: Stamp::UNKNOWN })
    }

    /// The address of `cpu`'s copy.
    ///
    /// Context: any. Costs one load. Linux: `per_cpu_ptr`.
    #[inline]
    #[must_use]
    pub fn per_cpu_ptr(self, cpu: CpuId) -> *mut T {
        arch::locate(self.as_ptr().cast(), cpu.index()).cast()
    }

    /// The address of this CPU's copy.
    ///
    /// A hint where the thread can migrate: by the time it is used, the copy may be another CPU's.
    ///
    /// Context: any, after set-up; faults before. Costs three loads. Linux: `this_cpu_ptr`, `raw_cpu_ptr`.
    #[doc(alias = "raw_cpu_ptr")]
    #[doc(alias = "get_cpu_ptr")]
    #[inline]
    #[must_use]
    pub fn this_cpu_ptr(self) -> *mut T {
        arch::locate(self.as_ptr().cast(), arch::current_cpu()).cast()
    }

    /// The same for an object of another type.
    #[inline]
    #[must_use]
    pub const fn cast<U>(self) -> PerCpuPtr<U> {
        PerCpuPtr { address: self.address.cast(), stamp: self.stamp }
    }

    /// The address as a pointer, which is not to be used as one: no copy is there.
    #[inline]
    #[must_use]
    pub const fn as_ptr(self) -> *mut T {
        self.address.as_ptr()
    }

    /// The address as a number: what a loader makes of the symbols in a [`ModuleArea`](crate::ModuleArea).
    #[inline]
    #[must_use]
    pub fn address(self) -> usize {
        self.address.addr().get()
    }
}

impl PerCpuPtr<u8> {
    /// The pointer to what is `offset` bytes from a unit's begin.
    #[inline]
    pub(super) fn from_offset(offset: usize, stamp: Stamp) -> Self {
        let address = core::ptr::without_provenance_mut(platform::per_cpu_address(offset));
        // Only an offset that no unit is long enough for comes to null.
        Self { address: NonNull::new(address).unwrap_or(NonNull::dangling()), stamp }
    }

    /// What it knows of its allocation.
    #[inline]
    pub(super) fn stamp(self) -> Stamp {
        self.stamp
    }

    /// Bytes from a unit's begin.
    #[inline]
    pub(super) fn offset(self) -> usize {
        platform::per_cpu_offset_of(self.address())
    }
}

impl<T> Clone for PerCpuPtr<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for PerCpuPtr<T> {}

impl<T> PartialEq for PerCpuPtr<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl<T> Eq for PerCpuPtr<T> {}

impl<T> core::hash::Hash for PerCpuPtr<T> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.address.hash(state);
    }
}

impl<T> fmt::Debug for PerCpuPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PerCpuPtr({:#x})", self.address())
    }
}
