//! The place of a variable that is known by its per-CPU pointer alone.

use crate::arch::Place;
use crate::dynamic::PerCpuPtr;

/// The place of a dynamic variable, or of one that is borrowed as such.
#[derive(Debug)]
#[repr(transparent)]
pub struct Object(PerCpuPtr<u8>);

impl Object {
    /// # Safety
    ///
    /// The variable lives for as long as the result.
    pub(super) unsafe fn new(pointer: PerCpuPtr<u8>) -> Self {
        Self(pointer)
    }

    /// The same, where the pointer is.
    ///
    /// # Safety
    ///
    /// As [`new`](Self::new).
    #[inline(always)]
    pub(super) unsafe fn from_ref(pointer: &PerCpuPtr<u8>) -> &Self {
        // SAFETY: a pointer and nothing else (`repr(transparent)`).
        unsafe { &*core::ptr::from_ref(pointer).cast() }
    }

    /// The variable's per-CPU pointer.
    pub(super) fn pointer(&self) -> PerCpuPtr<u8> {
        self.0
    }
}

// SAFETY: the pointer does not change, and whoever made the place keeps the variable (`new`).
unsafe impl Place for Object {
    #[inline(always)]
    fn address(&self) -> *mut u8 {
        self.0.as_ptr()
    }
}
