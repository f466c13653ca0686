//! Which types are words, and how their values travel to the backends.

use core::any::TypeId;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use crate::arch::{LocalInteger, LocalWord};

/// A type whose per-CPU variables are changed by whole operations: integers, `bool`, thin raw pointers, `NonNull` and its
/// `Option`, `&'static U` and its `Option` where `U: Sync`.
///
/// Sealed: which types these are is part of what makes the operations sound.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a word: it has no per-CPU operations of its own",
    label = "not an integer of 8 to 64 bits, `bool`, thin pointer or `&'static` reference",
    note = "an object is borrowed: write `.with(|value| ..)`, or `LocalLock<{Self}>` for `&mut`"
)]
pub trait Word: Copy + 'static + sealed::Sealed {}

/// A word of 8 to 64 bits: all but `u128`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a word of 8 to 64 bits",
    label = "has no such per-CPU operation",
    note = "of 16 bytes are `u128`'s `read` and `cmpxchg` alone; an object is borrowed: write `.with(|value| ..)`"
)]
pub trait Scalar: Word + sealed::Scalar {}

/// A scalar of bits: the integers of 8 to 64 bits and `bool`.
#[diagnostic::on_unimplemented(
    message = "the bits of `{Self}` cannot be masked",
    label = "neither an integer nor `bool`",
    note = "write `.read()`, `.write(..)`, `.xchg(..)` or `.cmpxchg(..)`"
)]
pub trait Bits: Scalar + sealed::Bits {}

/// A scalar that counts: the integers of 8 to 64 bits. Arithmetic wraps.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be counted",
    label = "not an integer of 8 to 64 bits",
    note = "write `.read()`, `.write(..)`, `.xchg(..)` or `.cmpxchg(..)`",
    note = "`bool` also has `.and(..)`, `.or(..)` and `.xor(..)`; `u128` has `.read()` and `.cmpxchg(..)` alone"
)]
pub trait Integer: Bits + sealed::Integer {}

/// A word that is one in dynamic variables too: all but references, which are objects there.
///
/// A dynamic variable's type is all that tells its kind, and which reference types are words is nothing that a
/// function over types can ask.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no word in a dynamic per-CPU variable",
    label = "not an integer, `bool` or a thin pointer",
    note = "an object is borrowed: write `.with(|value| ..)` or `.on(cpu)`; keep a reference that changes as a `NonNull`"
)]
pub trait Plain: Word {}

impl<U: 'static> Plain for *mut U {}
impl<U: 'static> Plain for *const U {}
impl<U: 'static> Plain for NonNull<U> {}
impl<U: 'static> Plain for Option<NonNull<U>> {}

// 16 bytes have two operations of their own (`wide`).
impl sealed::Sealed for u128 {}
impl Word for u128 {}
impl Plain for u128 {}

/// What only this crate may implement or call.
pub(crate) mod sealed {
    use super::Repr;

    /// A word.
    pub trait Sealed {}

    /// A value as the backends know it.
    pub trait Scalar: Sealed + Copy {
        /// An integer or pointer of the same size and alignment, whose every value that was a `Self` is one.
        #[allow(private_bounds, reason = "the trait is sealed, and so is what it is made of")]
        type Repr: Repr;
        /// To the backends' form.
        fn to_repr(self) -> Self::Repr;
        /// Back from it.
        ///
        /// # Safety
        ///
        /// `repr` came out of [`to_repr`](Scalar::to_repr), or is a bitwise combination of two that did.
        unsafe fn from_repr(repr: Self::Repr) -> Self;
    }

    /// A scalar of bits.
    #[allow(private_bounds, reason = "the trait is sealed, and so is what it is made of")]
    pub trait Bits: Scalar<Repr: super::LocalInteger> {}

    /// A scalar that counts.
    pub trait Integer: Bits {
        /// 0.
        const ZERO: Self;
        /// `self + other`, wrapping.
        fn wrapping_add(self, other: Self) -> Self;
        /// `-self`, wrapping.
        fn wrapping_neg(self) -> Self;
    }
}

/// What the backends operate on, and how other CPUs' copies of it are read.
pub(crate) trait Repr: LocalWord + PartialEq {
    /// An atomic load: relaxed, or of a pointer acquiring.
    ///
    /// # Safety
    ///
    /// `copy` is an aligned, initialised copy of a variable of this type, accessed as `LocalWord::read` says.
    unsafe fn load(copy: *mut Self) -> Self;
    /// An atomic store: relaxed, or of a pointer releasing.
    ///
    /// # Safety
    ///
    /// As [`Repr::load`].
    unsafe fn store(copy: *mut Self, value: Self);
}

macro_rules! repr {
    ($($repr:ty as $atomic:ty, $load:ident, $store:ident;)*) => {$(
        impl Repr for $repr {
            #[inline]
            unsafe fn load(copy: *mut Self) -> Self {
                // SAFETY: aligned and valid for as long as this call (the caller). Operations of its own CPU
                // access it at the same time by single instructions of the same width, from assembly.
                unsafe { <$atomic>::from_ptr(copy) }.load($load)
            }

            #[inline]
            unsafe fn store(copy: *mut Self, value: Self) {
                // SAFETY: as above.
                unsafe { <$atomic>::from_ptr(copy) }.store(value, $store);
            }
        }
    )*};
}
repr! {
    u8 as AtomicU8, Relaxed, Relaxed;
    u16 as AtomicU16, Relaxed, Relaxed;
    u32 as AtomicU32, Relaxed, Relaxed;
    u64 as AtomicU64, Relaxed, Relaxed;
    // Whoever reads a reference finds what it refers to.
    *mut () as AtomicPtr<()>, Acquire, Release;
}

/// Integers: the backends' form is the unsigned integer of the same width.
macro_rules! integer {
    ($($word:ty as $repr:ty),* $(,)?) => {$(
        impl sealed::Sealed for $word {}

        impl sealed::Scalar for $word {
            type Repr = $repr;

            #[inline(always)]
            fn to_repr(self) -> $repr {
                self as $repr
            }

            #[inline(always)]
            unsafe fn from_repr(repr: $repr) -> Self {
                repr as Self
            }
        }

        impl sealed::Bits for $word {}

        impl sealed::Integer for $word {
            const ZERO: Self = 0;

            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn wrapping_neg(self) -> Self {
                self.wrapping_neg()
            }
        }

        impl Word for $word {}
        impl Scalar for $word {}
        impl Bits for $word {}
        impl Integer for $word {}
        impl Plain for $word {}

        // The operations need it; every target with a backend grants it.
        const _: () = assert!(align_of::<$word>() == size_of::<$word>());
    )*};
}
integer!(u8 as u8, u16 as u16, u32 as u32, u64 as u64, i8 as u8, i16 as u16, i32 as u32, i64 as u64);
integer!(usize as u64, isize as u64);

impl sealed::Sealed for bool {}
impl sealed::Scalar for bool {
    type Repr = u8;

    #[inline(always)]
    fn to_repr(self) -> u8 {
        self.into()
    }

    #[inline(always)]
    unsafe fn from_repr(repr: u8) -> Self {
        // 0 and 1 stay 0 and 1 under every operation of `Bits`.
        repr != 0
    }
}
impl sealed::Bits for bool {}
impl Word for bool {}
impl Scalar for bool {}
impl Bits for bool {}
impl Plain for bool {}

/// Whether `T` is a word that is [`Sync`], and so would lend references if its type were all that is asked. Folds to a constant.
#[inline(always)]
pub(crate) fn is_shared_word<T: 'static>() -> bool {
    let id = TypeId::of::<T>();
    macro_rules! any {
        ($($word:ty)*) => { false $(|| id == TypeId::of::<$word>())* };
    }
    // References are no words where this is asked, and other pointers not `Sync`.
    any!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 isize bool)
}

/// Pointers: the backends' form is a pointer too, so that what it may reach stays known.
macro_rules! pointer {
    ($(($($generics:tt)*) $word:ty: $value:ident => $to:expr, $repr:ident => $from:expr;)*) => {$(
        impl<$($generics)*> sealed::Sealed for $word {}

        impl<$($generics)*> sealed::Scalar for $word {
            type Repr = *mut ();

            #[inline(always)]
            fn to_repr(self) -> *mut () {
                let $value = self;
                $to
            }

            #[inline(always)]
            unsafe fn from_repr($repr: *mut ()) -> Self {
                $from
            }
        }

        impl<$($generics)*> Word for $word {}
        impl<$($generics)*> Scalar for $word {}
    )*};
}
pointer! {
    (U: 'static) *mut U: value => value.cast(), repr => repr.cast();
    (U: 'static) *const U: value => value.cast::<()>().cast_mut(), repr => repr.cast::<U>().cast_const();
    (U: 'static) NonNull<U>: value => value.as_ptr().cast(), repr => {
        // SAFETY: came from a `NonNull` (the caller).
        unsafe { NonNull::new_unchecked(repr.cast()) }
    };
    (U: 'static) Option<NonNull<U>>: value => value.map_or(core::ptr::null_mut(), NonNull::as_ptr).cast(),
        repr => NonNull::new(repr.cast());
    (U: Sync + 'static) &'static U: value => core::ptr::from_ref(value).cast::<()>().cast_mut(), repr => {
        // SAFETY: came from a `&'static U` (the caller), which any thread may hold since `U: Sync`.
        unsafe { &*repr.cast::<U>().cast_const() }
    };
    (U: Sync + 'static) Option<&'static U>: value => value.map_or(core::ptr::null(), core::ptr::from_ref).cast::<()>().cast_mut(),
        repr => {
            // SAFETY: null or from a `&'static U` (the caller), which any thread may hold since `U: Sync`.
            unsafe { repr.cast::<U>().cast_const().as_ref() }
        };
}
