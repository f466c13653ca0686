//! Where a variable's memory comes from: the seam to the allocator.

use core::alloc::Layout;
use core::mem::{align_of, size_of};

#[cfg(not(has_stock))]
use crate::chunk::AllocFlags;
use crate::chunk::{AllocError, FreeError};
#[cfg(has_stock)]
use crate::dynamic::stock;
use crate::dynamic::{PerCpuPtr, postpone};
#[cfg(not(has_stock))]
use crate::dynamic::{alloc_percpu, try_free_percpu};

/// That of a `T`. What has no size has an address of its own all the same, as aligned as it is.
fn layout<T>() -> Layout {
    let size = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
    Layout::from_size_align(size, align_of::<T>()).unwrap_or(Layout::new::<T>())
}

/// Memory for a `T` on every CPU, zero.
///
/// # Errors
///
/// As [`crate::alloc_percpu`].
#[inline]
#[track_caller]
pub(super) fn allocate<T>() -> Result<PerCpuPtr<T>, AllocError> {
    #[cfg(not(has_stock))]
    let pointer = alloc_percpu(layout::<T>(), AllocFlags::NONE);
    #[cfg(has_stock)]
    let pointer = stock::alloc(layout::<T>());
    pointer.map(PerCpuPtr::cast)
}

/// Frees it.
///
/// # Panics
///
/// As [`free_percpu`](crate::free_percpu).
///
/// # Safety
///
/// It came from [`allocate`] for this type, and nobody uses a copy any more.
#[inline]
#[track_caller]
pub(super) unsafe fn free<T>(pointer: PerCpuPtr<T>) {
    // SAFETY: the caller's promise.
    #[cfg(not(has_stock))]
    let result = unsafe { try_free_percpu(pointer.cast()) };
    // SAFETY: the caller's promise, and the same layout.
    #[cfg(has_stock)]
    let result = unsafe { stock::free(pointer.cast(), layout::<T>()) };
    match result {
        Ok(()) => {}
        // SAFETY: not freed, and the caller's promise.
        Err(FreeError::Busy { .. }) if unsafe { postpone(pointer.cast()) } => {}
        Err(error) => refused(pointer, error),
    }
}

#[cold]
#[track_caller]
fn refused<T>(pointer: PerCpuPtr<T>, error: FreeError) -> ! {
    panic!("the end of a PerCpuBox at {pointer:?}: {error}")
}
