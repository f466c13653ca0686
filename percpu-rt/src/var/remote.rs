//! Other CPUs' copies of a word: atomic loads, relaxed but for pointers, whose loads acquire.

use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;

use super::handle::PerCpu;
use super::kind::{IsDynamic, IsWord};
use super::word::{Integer, Plain, Repr, Scalar};
use crate::arch;
use crate::arch::Place;
use crate::cpu::{CpuId, PossibleCpus, possible_cpus};

/// What the handles of one kind can do with other CPUs' words. Types that `$word` leaves out are looked for elsewhere.
macro_rules! remote {
    ($kind:ty, $($word:tt)+) => {
        // The bounds stand at the methods, where a type that does not fulfil one gets that trait's own message.
        impl<P: Place, T: $($word)+> PerCpu<P, T, $kind> {
            /// Reads `cpu`'s value, never torn, and old by the time it is looked at.
            ///
            /// Context: any. Costs two loads and, where that CPU writes the value often, a cache miss. Linux:
            /// `per_cpu(var, cpu)` with `READ_ONCE`.
            #[doc(alias = "per_cpu")]
            #[inline]
            #[must_use]
            pub fn read_on(&self, cpu: CpuId) -> T
            where
                T: Scalar,
            {
                // SAFETY: the place of this handle.
                unsafe { load(self.place(), cpu) }
            }

            /// Writes `cpu`'s value.
            ///
            /// Where an operation of that CPU runs at the same time, either value may win: the operation may have read
            /// the old one and write its result over this. The result is never torn.
            ///
            /// Context: any. Costs as [`read_on`](Self::read_on). Linux: `per_cpu(var, cpu) = value`.
            ///
            /// # Safety
            ///
            /// No code, and no other crate's in particular, relies on this variable for memory safety, or whatever does is
            /// known to hold with a write from another CPU.
            #[inline]
            pub unsafe fn write_on(&self, cpu: CpuId, value: T)
            where
                T: Scalar,
            {
                // SAFETY: an aligned, initialised copy, as in `load`; what the value means is on the caller.
                unsafe { T::Repr::store(self.per_cpu_ptr(cpu).cast(), value.to_repr()) }
            }

            /// Every possible CPU's value, one after the other; no snapshot.
            ///
            /// Context: any. Costs a [`read_on`](Self::read_on) a CPU. Linux: `for_each_possible_cpu`.
            #[doc(alias = "for_each_possible_cpu")]
            #[inline]
            pub fn iter(&self) -> Values<'_, T>
            where
                T: Scalar,
            {
                Values { place: self.place(), cpus: possible_cpus(), variable: PhantomData }
            }

            /// The wrapping sum of all possible CPUs' values; exact once nobody writes any more.
            ///
            /// Context: any. Costs a [`read_on`](Self::read_on) a CPU; 0 before set-up. Linux: a loop over `per_cpu_ptr`;
            /// `percpu_counter_sum` is named alike.
            #[inline]
            #[must_use]
            pub fn sum(&self) -> T
            where
                T: Integer,
            {
                sum(Values { place: self.place(), cpus: possible_cpus(), variable: PhantomData })
            }
        }
    };
}
remote!(IsWord, 'static);
remote!(IsDynamic, Plain);

/// Compiled once a type and not once a variable, as most programs sum up far from where time counts.
#[inline(never)]
fn sum<T: Integer>(values: Values<'_, T>) -> T {
    values.fold(T::ZERO, |sum, (_, value)| sum.wrapping_add(value))
}

/// A loop over the CPUs' values of a word, made by [`PerCpu::iter`].
#[derive(Clone)]
#[must_use = "a loop does nothing until it is run"]
pub struct Values<'a, T> {
    place: *mut T,
    cpus: PossibleCpus,
    variable: PhantomData<&'a T>,
}

// SAFETY: what it stands for is a shared borrow of a handle, which every thread may use.
unsafe impl<T: Scalar> Send for Values<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Scalar> Sync for Values<'_, T> {}

impl<T> fmt::Debug for Values<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("cpus", &self.cpus).finish_non_exhaustive()
    }
}

impl<T: Scalar> Iterator for Values<'_, T> {
    type Item = (CpuId, T);

    #[inline]
    fn next(&mut self) -> Option<(CpuId, T)> {
        let cpu = self.cpus.next()?;
        // SAFETY: made by `iter`, whose variable is still borrowed.
        Some((cpu, unsafe { load(self.place, cpu) }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cpus.size_hint()
    }
}

impl<T: Scalar> FusedIterator for Values<'_, T> {}

/// Reads `cpu`'s copy.
///
/// # Safety
///
/// `place` is that of a live handle of a word.
#[inline]
unsafe fn load<T: Scalar>(place: *mut T, cpu: CpuId) -> T {
    let copy = arch::locate(place.cast(), cpu.index()).cast();
    // SAFETY: an aligned, initialised copy, by the handle's construction and since the CPU's unit exists; it was stored as a `T`.
    unsafe { T::from_repr(T::Repr::load(copy)) }
}
