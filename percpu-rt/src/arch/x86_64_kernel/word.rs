//! The word operations, for each width: each is one access.

use super::super::{LocalInteger, LocalWord, Place};
use super::access::shape;

/// Implements the traits for one width.
macro_rules! width {
    (word $word:ty, |$value:ident| $to:expr, |$found:ident| $from:expr) => {
        // SAFETY: every access is one instruction, of `$word`'s size, on the copy of the CPU that executes it.
        unsafe impl LocalWord for $word {
            #[inline(always)]
            unsafe fn read(place: &impl Place) -> Self {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract; likewise below.
                let $found = unsafe { place.access::<{ shape::READ }, { size_of::<Self>() }>(0, 0) };
                $from
            }

            #[inline(always)]
            unsafe fn write(place: &impl Place, $value: Self) {
                // SAFETY: as above.
                unsafe { place.access::<{ shape::WRITE }, { size_of::<Self>() }>($to, 0) };
            }

            #[inline(always)]
            unsafe fn xchg(place: &impl Place, $value: Self) -> Self {
                // SAFETY: as above.
                let $found = unsafe { place.access::<{ shape::XCHG }, { size_of::<Self>() }>($to, 0) };
                $from
            }

            #[inline(always)]
            unsafe fn cmpxchg(place: &impl Place, old: Self, new: Self) -> Self {
                let bits = |$value: Self| $to;
                let $found =
                    // SAFETY: as above.
                    unsafe { place.access::<{ shape::CMPXCHG }, { size_of::<Self>() }>(bits(old), bits(new)) };
                $from
            }
        }
    };
    (integer $word:ty) => {
        width!(word $word, |value| u128::from(value), |found| found as Self);

        // SAFETY: as for `LocalWord` above.
        unsafe impl LocalInteger for $word {
            width!(unary inc INC);
            width!(unary dec DEC);
            width!(binary add ADD);
            width!(binary and AND);
            width!(binary or OR);
            width!(binary xor XOR);

            #[inline(always)]
            unsafe fn add_return(place: &impl Place, value: Self) -> Self {
                // SAFETY: passed on.
                unsafe { Self::fetch_add(place, value) }.wrapping_add(value)
            }

            #[inline(always)]
            unsafe fn fetch_add(place: &impl Place, value: Self) -> Self {
                // SAFETY: as above.
                unsafe { place.access::<{ shape::XADD }, { size_of::<Self>() }>(u128::from(value), 0) as Self }
            }
        }
    };
    (unary $op:ident $shape:ident) => {
        #[inline(always)]
        unsafe fn $op(place: &impl Place) {
            // SAFETY: as above.
            unsafe { place.access::<{ shape::$shape }, { size_of::<Self>() }>(0, 0) };
        }
    };
    (binary $op:ident $shape:ident) => {
        #[inline(always)]
        unsafe fn $op(place: &impl Place, value: Self) {
            // SAFETY: as above.
            unsafe { place.access::<{ shape::$shape }, { size_of::<Self>() }>(u128::from(value), 0) };
        }
    };
}

width!(integer u8);
width!(integer u16);
width!(integer u32);
width!(integer u64);
// A pointer goes through an integer register: its provenance is exposed on the way in and found again on the way out.
width!(word *mut (),
    |value| value.expose_provenance() as u128,
    |found| core::ptr::with_exposed_provenance_mut(found as usize));
