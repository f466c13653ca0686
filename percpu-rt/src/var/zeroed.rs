//! Whether the initializer of a `zeroed` variable is zero, where a constant can tell.
//!
//! The code generator refuses every other value, since a section without file bytes cannot hold it, but names no place in
//! the source. A constant has one, and may look at every byte where none is padding.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    AtomicUsize,
};

/// What the expansion asks: `<Bytes<T>>::__PERCPU_ARE_KNOWN`, found as a type's kind is.
pub struct Bytes<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> fmt::Debug for Bytes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes")
    }
}

impl<T: Solid> Bytes<T> {
    /// A constant may look at all of them. Large ones are left to the code generator, which is faster.
    pub const __PERCPU_ARE_KNOWN: bool = size_of::<T>() <= 4096;
}

/// The answer for all other types.
pub trait OtherwiseUnknown {
    /// Some byte may be padding, or a part of a pointer.
    const __PERCPU_ARE_KNOWN: bool = false;
}

impl<T: ?Sized> OtherwiseUnknown for Bytes<T> {}

/// A type of which every byte is initialised in every value, and no part of a pointer.
///
/// # Safety
///
/// That is so.
pub unsafe trait Solid {}

macro_rules! solid {
    ($($type:ty)*) => {$(
        // SAFETY: a number, a character or a truth value, which has no padding.
        unsafe impl Solid for $type {}
    )*};
}
solid! {
    u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize bool char f32 f64
    AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize AtomicBool
}

// SAFETY: one element behind the other, with nothing in between.
unsafe impl<T: Solid, const N: usize> Solid for [T; N] {}

/// Whether every byte of `value` is zero.
///
/// # Safety
///
/// No byte of any value of the type is padding or a part of a pointer.
#[must_use]
pub const unsafe fn is_zero<T>(value: T) -> bool {
    let value = ManuallyDrop::new(value);
    let bytes = (&raw const value).cast::<u8>();
    let mut at = 0;
    while at < size_of::<T>() {
        // SAFETY: a byte of the value, initialised by the caller's promise.
        if unsafe { bytes.add(at).read() } != 0 {
            return false;
        }
        at += 1;
    }
    true
}
