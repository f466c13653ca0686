//! Operations on this CPU's copy of a word.
//!
//! Each happens as a whole on the copy of one CPU, on which the thread runs at that moment: no migration, no
//! other thread of that CPU and no signal handler comes between. In memory order integers
//! are relaxed; reading a pointer acquires and writing one releases, so that what a `&'static U` refers to is there. After set-up each may be called from
//! anywhere, signal handlers included; before set-up each faults.

use super::handle::PerCpu;
use super::kind::{IsDynamic, IsWord};
use super::word::{Bits, Integer, Plain, Scalar};
use crate::arch::Place;
use crate::arch::{LocalInteger, LocalWord};

/// The operations of the handles of one kind. Types that `$word` leaves out are looked for elsewhere.
macro_rules! operations {
    ($kind:ty, $($word:tt)+) => {
        // `u128` has these two as well, in `wide`.
        impl<P: Place, T: $($word)+ + Scalar> PerCpu<P, T, $kind> {
            /// Reads this CPU's value.
            ///
            /// Context: any. Linux: `this_cpu_read`.
            #[doc(alias = "this_cpu_read")]
            #[inline(always)]
            #[must_use]
            pub fn read(&self) -> T {
                // SAFETY: `place` holds a `T` by the handle's construction; all accesses to a word go through the backends and `remote`.
                // The value found was stored as a `T`.
                unsafe { T::from_repr(T::Repr::read(&self.place)) }
            }

            /// Replaces this CPU's value by `new` if it is `old`.
            ///
            /// Pointers compare by address.
            ///
            /// Context: any. Linux: `this_cpu_cmpxchg`, `this_cpu_try_cmpxchg`.
            ///
            /// # Errors
            ///
            /// The value found, where it is not `old`; nothing is written then.
            #[doc(alias = "this_cpu_cmpxchg")]
            #[doc(alias = "this_cpu_try_cmpxchg")]
            #[inline(always)]
            pub fn cmpxchg(&self, old: T, new: T) -> Result<T, T> {
                let old = old.to_repr();
                // SAFETY: as in `read`.
                let found = unsafe { T::Repr::cmpxchg(&self.place, old, new.to_repr()) };
                // SAFETY: the value found was stored as a `T`.
                let value = unsafe { T::from_repr(found) };
                if found == old { Ok(value) } else { Err(value) }
            }
        }

        // The bounds stand at the methods, where a type that does not fulfil one gets that trait's own message.
        impl<P: Place, T: $($word)+> PerCpu<P, T, $kind> {
            /// Writes this CPU's value.
            ///
            /// Context: any. Linux: `this_cpu_write`.
            #[doc(alias = "this_cpu_write")]
            #[inline(always)]
            pub fn write(&self, value: T)
            where
                T: Scalar,
            {
                // SAFETY: as in `read`.
                unsafe { T::Repr::write(&self.place, value.to_repr()) }
            }

            /// Replaces this CPU's value and returns the old one.
            ///
            /// Context: any. Linux: `this_cpu_xchg`.
            #[doc(alias = "this_cpu_xchg")]
            #[inline(always)]
            pub fn xchg(&self, value: T) -> T
            where
                T: Scalar,
            {
                // SAFETY: as in `read`.
                unsafe { T::from_repr(T::Repr::xchg(&self.place, value.to_repr())) }
            }

            /// Clears this CPU's bits that are not in `value`.
            ///
            /// Context: any. Linux: `this_cpu_and`.
            #[doc(alias = "this_cpu_and")]
            #[inline(always)]
            pub fn and(&self, value: T)
            where
                T: Bits,
            {
                // SAFETY: as in `read`.
                unsafe { T::Repr::and(&self.place, value.to_repr()) }
            }

            /// Sets this CPU's bits that are in `value`.
            ///
            /// Context: any. Linux: `this_cpu_or`.
            #[doc(alias = "this_cpu_or")]
            #[inline(always)]
            pub fn or(&self, value: T)
            where
                T: Bits,
            {
                // SAFETY: as in `read`.
                unsafe { T::Repr::or(&self.place, value.to_repr()) }
            }

            /// Flips this CPU's bits that are in `value`.
            ///
            /// Context: any. Linux has no such operation.
            #[inline(always)]
            pub fn xor(&self, value: T)
            where
                T: Bits,
            {
                // SAFETY: as in `read`.
                unsafe { T::Repr::xor(&self.place, value.to_repr()) }
            }

            /// Adds one to this CPU's value.
            ///
            /// Context: any. Linux: `this_cpu_inc`.
            #[doc(alias = "this_cpu_inc")]
            #[inline(always)]
            pub fn inc(&self)
            where
                T: Integer,
            {
                // SAFETY: as in `read`.
                unsafe { T::Repr::inc(&self.place) }
            }

            /// Subtracts one from this CPU's value.
            ///
            /// Context: any. Linux: `this_cpu_dec`.
            #[doc(alias = "this_cpu_dec")]
            #[inline(always)]
            pub fn dec(&self)
            where
                T: Integer,
            {
                // SAFETY: as in `read`.
                unsafe { T::Repr::dec(&self.place) }
            }

            /// Adds to this CPU's value.
            ///
            /// Context: any. Linux: `this_cpu_add`.
            #[doc(alias = "this_cpu_add")]
            #[inline(always)]
            pub fn add(&self, value: T)
            where
                T: Integer,
            {
                // SAFETY: as in `read`.
                unsafe { T::Repr::add(&self.place, value.to_repr()) }
            }

            /// Subtracts from this CPU's value.
            ///
            /// Context: any. Linux: `this_cpu_sub`.
            #[doc(alias = "this_cpu_sub")]
            #[inline(always)]
            pub fn sub(&self, value: T)
            where
                T: Integer,
            {
                self.add(value.wrapping_neg());
            }

            /// Adds to this CPU's value and returns the sum.
            ///
            /// Context: any. Linux: `this_cpu_add_return`, and with a negated value `this_cpu_sub_return`.
            #[doc(alias = "this_cpu_add_return")]
            #[doc(alias = "this_cpu_sub_return")]
            #[doc(alias = "this_cpu_inc_return")]
            #[doc(alias = "this_cpu_dec_return")]
            #[inline(always)]
            pub fn add_return(&self, value: T) -> T
            where
                T: Integer,
            {
                // SAFETY: as in `read`.
                unsafe { T::from_repr(T::Repr::add_return(&self.place, value.to_repr())) }
            }

            /// Adds to this CPU's value and returns the value before.
            ///
            /// Context: any. Linux has no such operation on per-CPU variables; `atomic_fetch_add` is named alike.
            #[inline(always)]
            pub fn fetch_add(&self, value: T) -> T
            where
                T: Integer,
            {
                // SAFETY: as in `read`.
                unsafe { T::from_repr(T::Repr::fetch_add(&self.place, value.to_repr())) }
            }
        }
    };
}
operations!(IsWord, 'static);
operations!(IsDynamic, Plain);
