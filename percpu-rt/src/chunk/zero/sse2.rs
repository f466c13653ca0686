//! Looking at some words at once: the compiler's own choice for a sum of them is twice as long.

use core::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_load_si128, _mm_movemask_epi8, _mm_or_si128, _mm_setzero_si128};

/// Whether so many words, an even number, are zero.
///
/// # Safety
///
/// They are valid for reads, and aligned to two words.
#[inline(always)]
pub(super) unsafe fn are_zero<const WORDS: usize>(at: *mut u8) -> bool {
    let at = at.cast::<__m128i>();
    // SAFETY: two of the caller's words each; the instructions are the target's.
    let all =
        unsafe { (1..WORDS / 2).fold(_mm_load_si128(at), |all, pair| _mm_or_si128(all, _mm_load_si128(at.add(pair)))) };
    // SAFETY: as above.
    unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_setzero_si128())) == 0xffff }
}
