//! Other CPUs' copies of a word: relaxed atomic loads.

use super::handle::PerCpu;
use super::kind::IsWord;
use super::place::Place;
use super::word::{Integer, Repr, Scalar};
use crate::cpu::{CpuId, possible_cpus};

impl<P: Place, T: Scalar> PerCpu<P, T, IsWord> {
    /// Reads `cpu`'s value, never torn, and old by the time it is looked at.
    ///
    /// Context: any. Costs two loads and, where that CPU writes the value often, a cache miss. Linux:
    /// `per_cpu(var, cpu)` with `READ_ONCE`.
    #[doc(alias = "per_cpu")]
    #[inline]
    #[must_use]
    pub fn read_on(&self, cpu: CpuId) -> T {
        // SAFETY: an aligned, initialised copy, by the handle's construction and since the CPU's unit exists; it was stored as a `T`.
        unsafe { T::from_repr(T::Repr::load(self.per_cpu_ptr(cpu).cast())) }
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
    pub unsafe fn write_on(&self, cpu: CpuId, value: T) {
        // SAFETY: as in `read_on`; what the value means is on the caller.
        unsafe { T::Repr::store(self.per_cpu_ptr(cpu).cast(), value.to_repr()) }
    }

    /// Every possible CPU's value, one after the other; no snapshot.
    ///
    /// Context: any. Costs a [`read_on`](Self::read_on) a CPU. Linux: `for_each_possible_cpu`.
    #[doc(alias = "for_each_possible_cpu")]
    pub fn iter(&self) -> impl Iterator<Item = (CpuId, T)> + Clone {
        possible_cpus().map(|cpu| (cpu, self.read_on(cpu)))
    }
}

impl<P: Place, T: Integer> PerCpu<P, T, IsWord> {
    /// The wrapping sum of all possible CPUs' values; exact once nobody writes any more.
    ///
    /// Context: any. Costs a [`read_on`](Self::read_on) a CPU; 0 before set-up. Linux: a loop over `per_cpu_ptr`;
    /// `percpu_counter_sum` is named alike.
    #[must_use]
    pub fn sum(&self) -> T {
        self.iter().fold(T::ZERO, |sum, (_, value)| sum.wrapping_add(value))
    }
}
