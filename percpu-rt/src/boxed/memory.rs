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
#[inline(always)]
fn layout<T>() -> Layout {
    let size = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
    Layout::from_size_align(size, align_of::<T>()).unwrap_or(Layout::new::<T>())
}

/// Memory for a `T` on every CPU, zero.
///
/// # Errors
///
/// As [`crate::alloc_percpu`].
#[inline(always)]
#[track_caller]
pub(super) fn allocate<T>() -> Result<PerCpuPtr<T>, AllocError> {
    #[cfg(has_stock)]
    if let Some(pointer) = allocate_top() {
        return Ok(pointer);
    }
    allocate_slowly(layout::<T>()).map(PerCpuPtr::cast)
}

/// Of its own, so that where it is not inlined it is one for each type all the same, and its answer comes in a register.
#[cfg(has_stock)]
#[inline]
fn allocate_top<T>() -> Option<PerCpuPtr<T>> {
    stock::alloc_top(layout::<T>()).map(PerCpuPtr::cast)
}

#[cfg_attr(has_stock, cold)]
#[track_caller]
fn allocate_slowly(layout: Layout) -> Result<PerCpuPtr<u8>, AllocError> {
    #[cfg(not(has_stock))]
    return alloc_percpu(layout, AllocFlags::NONE);
    #[cfg(has_stock)]
    stock::alloc(layout)
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
#[inline(always)]
#[track_caller]
pub(super) unsafe fn free<T>(pointer: PerCpuPtr<T>) {
    let (pointer, layout) = (pointer.cast(), layout::<T>());
    // SAFETY: the caller's promise, and the same layout.
    #[cfg(has_stock)]
    if unsafe { stock::free_top(pointer, layout) } {
        return;
    }
    // SAFETY: as above.
    unsafe { free_slowly(pointer, layout) };
}

/// # Safety
///
/// As [`free`].
#[cfg_attr(has_stock, cold)]
#[track_caller]
#[cfg_attr(not(has_stock), allow(unused_variables, reason = "the allocator alone knows the size by itself"))]
unsafe fn free_slowly(pointer: PerCpuPtr<u8>, layout: Layout) {
    // SAFETY: the caller's promise.
    #[cfg(not(has_stock))]
    let result = unsafe { try_free_percpu(pointer) };
    // SAFETY: the caller's promise.
    #[cfg(has_stock)]
    let result = unsafe { stock::free(pointer, layout) };
    match result {
        Ok(()) => {}
        // SAFETY: not freed, and the caller's promise.
        Err(FreeError::Busy { .. }) if unsafe { postpone(pointer) } => {}
        Err(error) => panic!("the end of a PerCpuBox at {pointer:?}: {error}"),
    }
}
