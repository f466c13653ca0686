//! Copying the template into a unit.

/// Copies `bytes` bytes.
///
/// # Safety
///
/// Both ranges are valid, and do not overlap.
pub(crate) unsafe fn copy(from: *const u8, to: *mut u8, bytes: usize) {
    // SAFETY: the caller's ranges.
    unsafe { core::ptr::copy_nonoverlapping(from, to, bytes) };
}
