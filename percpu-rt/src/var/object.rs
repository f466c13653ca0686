//! Shared references to the copies of an object.

use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::ops::Deref;

use super::bound::Shared;
use super::guard::CpuVar;
use super::handle::PerCpu;
use super::kind::{IsDynamic, IsObject};
use super::word::is_shared_word;
use crate::arch;
use crate::arch::Place;
use crate::cpu::{CpuId, PossibleCpus, possible_cpus, this_cpu};

// The bounds stand at the methods, where a type that does not fulfil one gets the message of `Shared`.
impl<P: Place, T: 'static> PerCpu<P, T, IsObject> {
    /// Calls `f` with this CPU's copy.
    ///
    /// Context: any. Costs three loads. Linux: `this_cpu_ptr` between `preempt_disable` and `preempt_enable`.
    #[doc(alias = "this_cpu_ptr")]
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R
    where
        T: Shared,
    {
        f(self.copy(arch::current_cpu()))
    }

    /// This CPU's copy behind a guard that names the CPU.
    ///
    /// Context: any. Costs three loads. Linux: `get_cpu_var`, and `put_cpu_var` at the guard's drop.
    #[doc(alias = "get_cpu_ptr")]
    #[inline]
    pub fn get_cpu_var(&self) -> CpuVar<'_, T>
    where
        T: Shared,
    {
        #[cfg(platform = "kernel")]
        let stays = crate::platform::PreemptionGuard::new();
        let cpu = this_cpu();
        CpuVar::new(
            self.on(cpu),
            cpu,
            #[cfg(platform = "kernel")]
            stays,
        )
    }

    /// `cpu`'s copy.
    ///
    /// Context: any. Costs one load. Linux: `per_cpu_ptr`, `per_cpu`.
    #[doc(alias = "per_cpu")]
    #[doc(alias = "per_cpu_ptr")]
    #[inline]
    #[must_use]
    pub fn on(&self, cpu: CpuId) -> &T
    where
        T: Shared,
    {
        self.copy(cpu.index())
    }

    /// Every possible CPU's copy.
    ///
    /// Context: any. Linux: `for_each_possible_cpu` with `per_cpu_ptr`.
    #[doc(alias = "for_each_possible_cpu")]
    #[inline]
    pub fn iter(&self) -> Copies<'_, T>
    where
        T: Shared,
    {
        Copies { place: self.place(), cpus: possible_cpus(), variable: PhantomData }
    }

    /// Calls `f` with this CPU's copy, and interrupts off meanwhile: for what is `Send` and not `Sync`, such as a `Cell`.
    ///
    /// Nobody else reaches the copy then, but for `f` itself by the same name: so it is lent as `&T`.
    ///
    /// Context: any but handlers that cannot be turned off, as [`install`](crate::kernel::install) has it. Costs some 10 cycles. Linux:
    /// `this_cpu_ptr` between `local_irq_save` and `local_irq_restore`.
    #[cfg(platform = "kernel")]
    #[doc(alias = "local_irq_save")]
    #[inline]
    pub fn with_irq_off<R>(&self, f: impl FnOnce(&T) -> R) -> R
    where
        T: Send,
    {
        let _off = crate::platform::InterruptGuard::new();
        let copy = arch::locate(self.place().cast(), arch::current_cpu()).cast::<T>();
        // SAFETY: an aligned, initialised copy, by the handle's construction. Where `T` is not `Sync` it is reached here alone: on its own
        // CPU, with interrupts off, and by nothing that cannot be turned off (`install`'s caller). The reference ends with `f`.
        f(unsafe { &*copy })
    }

    #[inline(always)]
    fn copy(&self, slot: usize) -> &T
    where
        T: Shared,
    {
        // SAFETY: `Shared` is `Sync`; the place of this handle, and the slot of a filled unit; the place is borrowed
        // with `self`.
        unsafe { copy(self.place(), slot) }
    }
}

/// A dynamic variable lends references as an object does, by the same methods.
///
/// # Panics
///
/// Where `T` is a word, which is changed by operations: a reference beside them would race. The test folds away.
impl<P: Place, T: 'static> Deref for PerCpu<P, T, IsDynamic> {
    type Target = PerCpu<P, T, IsObject>;

    #[inline(always)]
    #[track_caller]
    fn deref(&self) -> &Self::Target {
        assert!(!is_shared_word::<T>(), "a per-CPU word is not borrowed: write `.read()`, or `.read_on(cpu)`");
        // SAFETY: no word that could lend references, so an object, or a type of which an object's handle lends nothing.
        unsafe { self.of_kind() }
    }
}

/// A loop over the CPUs' copies of an object, made by [`PerCpu::iter`].
#[must_use = "a loop does nothing until it is run"]
pub struct Copies<'a, T> {
    place: *mut T,
    cpus: PossibleCpus,
    variable: PhantomData<&'a T>,
}

// SAFETY: what it gives away is `&T`, which any thread may hold.
unsafe impl<T: Sync> Send for Copies<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Copies<'_, T> {}

impl<T> Clone for Copies<'_, T> {
    fn clone(&self) -> Self {
        Self { place: self.place, cpus: self.cpus.clone(), variable: PhantomData }
    }
}

impl<T> fmt::Debug for Copies<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copies").field("cpus", &self.cpus).finish_non_exhaustive()
    }
}

// Not `T: Sync` again: `iter` has asked for it, and one mistake is one message.
impl<'a, T> Iterator for Copies<'a, T> {
    type Item = (CpuId, &'a T);

    #[inline]
    fn next(&mut self) -> Option<(CpuId, &'a T)> {
        let cpu = self.cpus.next()?;
        // SAFETY: made by `iter`, of a `T: Sync` whose variable is borrowed for `'a`, and a CPU whose unit exists.
        Some((cpu, unsafe { copy(self.place, cpu.index()) }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cpus.size_hint()
    }
}

impl<T> FusedIterator for Copies<'_, T> {}

/// The copy in the unit that stands at `slot` of the offset table.
///
/// # Safety
///
/// `T` is `Sync`, `place` that of a handle of an object that is borrowed for `'a`, and `slot` that of a filled unit.
#[inline(always)]
unsafe fn copy<'a, T>(place: *mut T, slot: usize) -> &'a T {
    let copy = arch::locate(place.cast(), slot).cast::<T>();
    // SAFETY: an aligned, initialised copy, by the handle's construction. An object is reached by shared references
    // alone, from any thread, since `T` is `Sync` (the caller).
    unsafe { &*copy }
}
