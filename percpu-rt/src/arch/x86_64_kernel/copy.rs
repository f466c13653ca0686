//! Copying the template into a unit.

use core::arch::asm;

/// Copies `bytes` bytes, by an instruction: a kernel may have no function for it yet.
///
/// # Safety
///
/// Both ranges are valid, and do not overlap.
pub(crate) unsafe fn copy(from: *const u8, to: *mut u8, bytes: usize) {
    // SAFETY: the caller's ranges; the direction flag is clear, by the ABI.
    unsafe {
        asm!(
            "rep movsb",
            inout("rsi") from => _,
            inout("rdi") to => _,
            inout("rcx") bytes => _,
            options(nostack, preserves_flags)
        );
    }
}
