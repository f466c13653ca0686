//! Types for which zero bytes are a value.

use core::ptr::NonNull;
use core::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};

/// A type of which zero bytes are a value: 0, `false`, null, `None`.
///
/// What [`PerCpuBox::try_zeroed`](crate::PerCpuBox::try_zeroed) asks for: a fresh variable's memory is zero already.
///
/// # Safety
///
/// Zero bytes are a valid value of the type, padding aside.
#[diagnostic::on_unimplemented(
    message = "zero bytes are not known to be a `{Self}`",
    label = "not `Zeroable`",
    note = "write `PerCpuBox::try_new(value)` or `PerCpuBox::try_new_with(|cpu| ..)`, or implement `Zeroable` for a type of your own"
)]
pub unsafe trait Zeroable {}

macro_rules! zeroable {
    ($($of:ty)*) => {$(
        // SAFETY: integers, floating-point numbers, `bool`, and atomics of them: zero bytes are 0 and false.
        unsafe impl Zeroable for $of {}
    )*};
}
zeroable! {
    u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool
    AtomicBool AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize
}

// SAFETY: null.
unsafe impl<T> Zeroable for *mut T {}
// SAFETY: null.
unsafe impl<T> Zeroable for *const T {}
// SAFETY: null.
unsafe impl<T> Zeroable for AtomicPtr<T> {}
// SAFETY: `None` is what a null pointer stands for in both.
unsafe impl<T> Zeroable for Option<NonNull<T>> {}
// SAFETY: as above.
unsafe impl<T: 'static> Zeroable for Option<&'static T> {}
// SAFETY: no bytes.
unsafe impl Zeroable for () {}
// SAFETY: elements of zero bytes, and nothing between them.
unsafe impl<T: Zeroable, const N: usize> Zeroable for [T; N] {}
