//! The word operations, for each width.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use super::super::{LocalInteger, LocalWord, Place, locate};
use super::cpu::current_cpu;

/// Implements the traits for one width by the operations of its atomic type.
macro_rules! width {
    (word $word:ty, $atomic:ty, $load:ident, $store:ident, $exchange:ident) => {
        // SAFETY: every operation is one atomic operation on one copy.
        unsafe impl LocalWord for $word {
            #[inline]
            unsafe fn read(place: &impl Place) -> Self {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe { copy::<$atomic>(place) }.load($load)
            }

            #[inline]
            unsafe fn write(place: &impl Place, value: Self) {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe { copy::<$atomic>(place) }.store(value, $store);
            }

            #[inline]
            unsafe fn xchg(place: &impl Place, value: Self) -> Self {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe { copy::<$atomic>(place) }.swap(value, $exchange)
            }

            #[inline]
            unsafe fn cmpxchg(place: &impl Place, old: Self, new: Self) -> Self {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                match unsafe { copy::<$atomic>(place) }.compare_exchange(old, new, $exchange, $load) {
                    Ok(found) | Err(found) => found,
                }
            }
        }
    };
    (integer $word:ty, $atomic:ty) => {
        width!(word $word, $atomic, Relaxed, Relaxed, Relaxed);

        // SAFETY: as for `LocalWord` above.
        unsafe impl LocalInteger for $word {
            #[inline]
            unsafe fn inc(place: &impl Place) {
                // SAFETY: passed on.
                unsafe { Self::fetch_add(place, 1) };
            }

            #[inline]
            unsafe fn dec(place: &impl Place) {
                // SAFETY: passed on.
                unsafe { Self::fetch_add(place, Self::MAX) };
            }

            #[inline]
            unsafe fn add(place: &impl Place, value: Self) {
                // SAFETY: passed on.
                unsafe { Self::fetch_add(place, value) };
            }

            #[inline]
            unsafe fn and(place: &impl Place, value: Self) {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe { copy::<$atomic>(place) }.fetch_and(value, Relaxed);
            }

            #[inline]
            unsafe fn or(place: &impl Place, value: Self) {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe { copy::<$atomic>(place) }.fetch_or(value, Relaxed);
            }

            #[inline]
            unsafe fn xor(place: &impl Place, value: Self) {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe { copy::<$atomic>(place) }.fetch_xor(value, Relaxed);
            }

            #[inline]
            unsafe fn add_return(place: &impl Place, value: Self) -> Self {
                // SAFETY: passed on.
                unsafe { Self::fetch_add(place, value) }.wrapping_add(value)
            }

            #[inline]
            unsafe fn fetch_add(place: &impl Place, value: Self) -> Self {
                // SAFETY: the caller's variable, by `LocalWord::read`'s contract.
                unsafe { copy::<$atomic>(place) }.fetch_add(value, Relaxed)
            }
        }
    };
}

width!(integer u8, AtomicU8);
width!(integer u16, AtomicU16);
width!(integer u32, AtomicU32);
width!(integer u64, AtomicU64);
// Whoever reads a reference finds what it refers to.
width!(word *mut (), AtomicPtr<()>, Acquire, Release, AcqRel);

/// The copy of the variable at `place` that belongs to the CPU the thread was on a moment ago.
///
/// # Safety
///
/// As [`LocalWord::read`]; `Atomic` is the variable's atomic type.
#[inline]
unsafe fn copy<Atomic>(place: &impl Place) -> &Atomic {
    let copy = locate(place.address(), current_cpu());
    // SAFETY: the caller's variable lives in every unit, aligned and initialised, and is accessed by atomics alone.
    unsafe { &*copy.cast::<Atomic>() }
}
