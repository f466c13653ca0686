//! The two operations on 16 bytes.
//!
//! Inside the sequence the halves are compared one by one, and one aligned 16-byte store is the commit. The orphan's
//! form is `lock cmpxchg16b`, whose `rbx` may not be named as an operand, but may be what the compiler has put one
//! into: it is exchanged with the operand that belongs there, and back, and the address is moved to a register of its own first.

use core::arch::x86_64::{__m128i, _mm_set_epi64x};

use super::super::{LocalWide, Place};
use super::sequence::restartable;

// SAFETY: as for the narrower words: both touch the 16 bytes alone, and the only write is the last instruction.
unsafe impl LocalWide for u128 {
    #[inline(always)]
    unsafe fn read(place: &impl Place) -> Self {
        let (low, high): (u64, u64);
        // SAFETY: the caller's variable, by `LocalWord::read`'s contract, aligned to 16.
        unsafe {
            restartable!(
                place.address(),
                commit: [
                    "mov rax, qword ptr [{copy}]",
                    "mov rdx, qword ptr [{copy} + 8]",
                ],
                // There is no plain load of 16 bytes that is one for sure: write back 0 if it is 0.
                orphan: [
                    "mov rdi, {copy}",
                    "xor {zero:e}, {zero:e}",
                    "xor eax, eax",
                    "xor edx, edx",
                    "xor ecx, ecx",
                    "xchg rbx, {zero}",
                    "lock cmpxchg16b xmmword ptr [rdi]",
                    "xchg rbx, {zero}",
                ],
                zero = out(reg) _,
                out("rdi") _,
                out("rax") low,
                out("rdx") high,
                out("rcx") _,
            );
        }
        Self::from(high) << 64 | Self::from(low)
    }

    #[inline(always)]
    unsafe fn cmpxchg(place: &impl Place, old: Self, new: Self) -> Self {
        let (low, high): (u64, u64);
        let (new_low, new_high) = (new as u64, (new >> 64) as u64);
        // SAFETY: SSE2 is part of x86-64.
        let new: __m128i = unsafe { _mm_set_epi64x(new_high.cast_signed(), new_low.cast_signed()) };
        // SAFETY: the caller's variable, by `LocalWord::read`'s contract, aligned to 16.
        unsafe {
            restartable!(
                place.address(),
                commit: [
                    "mov rax, qword ptr [{copy}]",
                    "mov rdx, qword ptr [{copy} + 8]",
                    "cmp rax, {old_low}",
                    "jne 4f",
                    "cmp rdx, {old_high}",
                    "jne 4f",
                    "movaps xmmword ptr [{copy}], {new}",
                ],
                orphan: [
                    "mov rdi, {copy}",
                    "mov rax, {old_low}",
                    "mov rdx, {old_high}",
                    "xchg rbx, {new_low}",
                    "lock cmpxchg16b xmmword ptr [rdi]",
                    "xchg rbx, {new_low}",
                ],
                out("rdi") _,
                old_low = in(reg) old as u64,
                old_high = in(reg) (old >> 64) as u64,
                new_low = in(reg) new_low,
                new = in(xmm_reg) new,
                out("rax") low,
                out("rdx") high,
                in("rcx") new_high,
            );
        }
        Self::from(high) << 64 | Self::from(low)
    }
}
