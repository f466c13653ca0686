//! The end of a dynamic variable's copies.

use core::iter::Take;

use super::memory;
use crate::cpu::{PossibleCpus, possible_cpus};
use crate::dynamic::PerCpuPtr;

/// The first copies of a variable, in the order of [`possible_cpus`]. Its drop drops them, and frees all.
///
/// Where the drop of one panics, the others are dropped all the same; a second panic ends the process, as in a slice.
pub(super) struct Copies<T> {
    pub(super) pointer: PerCpuPtr<T>,
    /// How many there are.
    pub(super) count: usize,
}

impl<T> Drop for Copies<T> {
    #[inline(always)]
    fn drop(&mut self) {
        if !core::mem::needs_drop::<T>() {
            // SAFETY: allocated by the owner for a `T`, and nobody uses a copy any more; there is nothing to drop in them.
            return unsafe { memory::free(self.pointer) };
        }
        let cpus = possible_cpus().take(self.count);
        let mut rest = Rest { pointer: self.pointer, cpus };
        rest.drop_next();
        // What is left, and the memory: also where the line above panics.
        drop(rest);
    }
}

/// What is left of them.
struct Rest<T> {
    pointer: PerCpuPtr<T>,
    cpus: Take<PossibleCpus>,
}

impl<T> Rest<T> {
    fn drop_next(&mut self) {
        for cpu in self.cpus.by_ref() {
            // SAFETY: an initialised copy (`count`), which nobody borrows any more; each is dropped once.
            unsafe { self.pointer.per_cpu_ptr(cpu).drop_in_place() };
        }
    }
}

impl<T> Drop for Rest<T> {
    fn drop(&mut self) {
        self.drop_next();
        // SAFETY: allocated by the owner, and nobody uses a copy any more.
        unsafe { memory::free(self.pointer) };
    }
}
