//! Shared references to the copies of an object.

use super::guard::CpuVar;
use super::handle::PerCpu;
use super::kind::IsObject;
use super::place::Place;
use crate::arch;
use crate::cpu::{CpuId, possible_cpus, this_cpu};

impl<P: Place, T: Sync + 'static> PerCpu<P, T, IsObject> {
    /// Calls `f` with this CPU's copy.
    ///
    /// Context: any. Costs three loads. Linux: `this_cpu_ptr` between `preempt_disable` and `preempt_enable`.
    #[doc(alias = "this_cpu_ptr")]
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        f(self.copy(arch::current_cpu()))
    }

    /// This CPU's copy behind a guard that names the CPU.
    ///
    /// Context: any. Costs three loads. Linux: `get_cpu_var`, and `put_cpu_var` at the guard's drop.
    #[doc(alias = "get_cpu_ptr")]
    #[inline]
    pub fn get_cpu_var(&self) -> CpuVar<'_, T> {
        let cpu = this_cpu();
        CpuVar::new(self.on(cpu), cpu)
    }

    /// `cpu`'s copy.
    ///
    /// Context: any. Costs one load. Linux: `per_cpu_ptr`, `per_cpu`.
    #[doc(alias = "per_cpu")]
    #[doc(alias = "per_cpu_ptr")]
    #[inline]
    #[must_use]
    pub fn on(&self, cpu: CpuId) -> &T {
        self.copy(cpu.index())
    }

    /// Every possible CPU's copy.
    ///
    /// Context: any. Linux: `for_each_possible_cpu` with `per_cpu_ptr`.
    #[doc(alias = "for_each_possible_cpu")]
    pub fn iter(&self) -> impl Iterator<Item = (CpuId, &T)> + Clone {
        possible_cpus().map(|cpu| (cpu, self.on(cpu)))
    }

    #[inline(always)]
    fn copy(&self, slot: usize) -> &T {
        let copy = arch::locate(self.place().cast(), slot).cast::<T>();
        // SAFETY: an aligned, initialised copy, by the handle's construction and since `slot` is that of a filled unit.
        // It lives as long as the place, which `self` borrows, and an object is reached by shared references
        // alone, from any thread, since `T: Sync`.
        unsafe { &*copy }
    }
}
