//! What per-CPU operations are compared with, at the level of instructions.
//!
//! On x86-64 the single instructions, by assembly, with their memory operand in a register: as the sequence of a
//! per-CPU operation has it, and out of the compiler's reach, which would make one addition of a loop. Elsewhere what
//! comes next to them.

use std::sync::atomic::AtomicU64;

/// A counter alone on its cache line.
#[repr(align(64))]
pub(crate) struct Line(pub(crate) AtomicU64);

impl Line {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds one as a program with a single thread does. Two threads at once lose updates.
    #[inline(always)]
    pub(crate) fn inc(&self) {
        // SAFETY: a live counter of this width, shared with nobody who holds a plain reference to its bytes.
        unsafe { inc(self.0.as_ptr()) }
    }

    /// Reads by one load that the compiler does not move out of a loop.
    #[inline(always)]
    pub(crate) fn load(&self) -> u64 {
        // SAFETY: a live counter of this width; a volatile load of an aligned word is one load.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    /// Stores by one instruction that the compiler does not move out of a loop.
    #[inline(always)]
    pub(crate) fn store(&self, value: u64) {
        // SAFETY: a live counter of this width; a volatile store of an aligned word is one store.
        unsafe { self.0.as_ptr().write_volatile(value) }
    }

    /// Adds one by `lock xadd`, the returned value unused.
    #[inline(always)]
    pub(crate) fn lock_xadd(&self) {
        lock_xadd(&self.0);
    }
}

/// Adds one to a counter.
///
/// # Safety
///
/// `counter` is valid for reads and writes, and no reference to its bytes is relied on meanwhile.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) unsafe fn inc(counter: *mut u64) {
    // SAFETY: reads and writes the caller's counter alone.
    unsafe { std::arch::asm!("inc qword ptr [{counter}]", counter = in(reg) counter, options(nostack)) }
}

/// Adds one to a counter.
///
/// # Safety
///
/// `counter` is valid for reads and writes, and no reference to its bytes is relied on meanwhile.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) unsafe fn inc(counter: *mut u64) {
    // SAFETY: the caller's counter.
    unsafe { counter.write_volatile(counter.read_volatile().wrapping_add(1)) }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn lock_xadd(counter: &AtomicU64) {
    // SAFETY: one atomic instruction on a live atomic of its width.
    unsafe {
        std::arch::asm!(
            "lock xadd qword ptr [{counter}], {one}",
            counter = in(reg) counter.as_ptr(),
            one = inout(reg) 1_u64 => _,
            options(nostack)
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn lock_xadd(counter: &AtomicU64) {
    std::hint::black_box(counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
}
