//! The two operations on 16 bytes.

use super::super::{LocalWide, Place};
use super::access::shape;

// SAFETY: one instruction of 16 bytes on the copy of the CPU that executes it.
unsafe impl LocalWide for u128 {
    #[inline(always)]
    unsafe fn read(place: &impl Place) -> Self {
        // Two loads could be torn by an interrupt between them: writes back 0 if it is 0.
        // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
        unsafe { place.access::<{ shape::CMPXCHG }, 16>(0, 0) }
    }

    #[inline(always)]
    unsafe fn cmpxchg(place: &impl Place, old: Self, new: Self) -> Self {
        // SAFETY: as above.
        unsafe { place.access::<{ shape::CMPXCHG }, 16>(old, new) }
    }
}
