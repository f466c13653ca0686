//! Steps of two words: to ask whether they are zero, the compiler's own choice is twice as long.

use core::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_setzero_si128};

use super::Step;

impl Step for __m128i {
    // SAFETY: any bits are a value.
    const ZERO: Self = unsafe { core::mem::transmute([0_u64; 2]) };

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: the instruction is the target's.
        unsafe { _mm_or_si128(self, other) }
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        // SAFETY: as above.
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self, _mm_setzero_si128())) == 0xffff }
    }
}
