//! Steps of half a line, where the CPU and the system have registers of 32 bytes: what is long in half the time.
//!
//! In processes alone: a kernel's code has those registers only where they were saved.

use core::arch::x86_64::{__cpuid, __cpuid_count, __m256i, _mm256_or_si256, _mm256_testz_si256, _xgetbv};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

#[cfg(any(test, has_stock))]
use super::LINE;
use super::{Step, long};

/// What is known of this CPU, which all are like.
static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

const UNKNOWN: u8 = 0;
const LACKING: u8 = 1;
const THERE: u8 = 2;

/// Whether the CPU and the system have the registers: for all else here that needs them.
#[inline]
pub(super) fn is_there() -> bool {
    match STATE.load(Relaxed) {
        UNKNOWN => look(),
        state => state == THERE,
    }
}

#[cold]
fn look() -> bool {
    let is_there = __cpuid(0).eax >= 7 && {
        // XSAVE as the system uses it, and AVX; then AVX2.
        const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
        const AVX2: u32 = 1 << 5;
        __cpuid(1).ecx & OSXSAVE_AND_AVX == OSXSAVE_AND_AVX
            // SAFETY: the system uses XSAVE, so there is the register, which says what the system saves.
            && unsafe { saved() } & 0b110 == 0b110
            && __cpuid_count(7, 0).ebx & AVX2 != 0
    };
    STATE.store(if is_there { THERE } else { LACKING }, Relaxed);
    is_there
}

#[target_feature(enable = "xsave")]
fn saved() -> u64 {
    // SAFETY: register 0 is always there.
    unsafe { _xgetbv(0) }
}

/// # Safety
///
/// As [`zero`](super::zero), of so many lines, the first is aligned as such, and [`is_there`].
#[cfg(any(test, has_stock))]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn zero_lines(start: *mut u8, lines: usize) {
    for line in 0..lines {
        // SAFETY: a line of the caller's.
        unsafe { long::clear_line::<__m256i>(start.wrapping_byte_add(line * LINE)) };
    }
}

impl Step for __m256i {
    // SAFETY: any bits are a value.
    const ZERO: Self = unsafe { core::mem::transmute([0_u64; 4]) };

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: `zero` and `zero_lines` alone make steps of this type, and their callers have asked `is_there`.
        unsafe { _mm256_or_si256(self, other) }
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        // SAFETY: as above.
        unsafe { _mm256_testz_si256(self, self) != 0 }
    }
}

/// # Safety
///
/// As [`long::zero`], and [`is_there`].
#[target_feature(enable = "avx2")]
pub(super) unsafe fn zero(count: usize, copy_at: impl Fn(usize) -> *mut u8, bytes: usize) {
    // SAFETY: the caller's bytes.
    unsafe { long::zero_by::<__m256i>(count, copy_at, bytes) }
}
