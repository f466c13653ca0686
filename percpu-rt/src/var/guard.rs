//! The guard of `get_cpu_var`.

use core::marker::PhantomData;
use core::ops::Deref;

use crate::cpu::CpuId;

/// One CPU's copy of an object, with that CPU's name: what `get_cpu_var` returns.
///
/// It stays on the thread that got it. In a Linux process that thread may still migrate, and the guard then goes on
/// naming the copy it was made for. In a kernel it stays on the CPU, too, where [preemption](crate::PerCpu::get_cpu_var) is known.
#[derive(Debug)]
#[must_use = "the copy is reached through the guard"]
pub struct CpuVar<'a, T> {
    copy: &'a T,
    cpu: CpuId,
    /// In a kernel, the thread stays on that CPU.
    #[cfg(platform = "kernel")]
    _stays: crate::platform::PreemptionGuard,
    // A guard is about the thread that got it.
    not_send: PhantomData<*mut ()>,
}

impl<'a, T> CpuVar<'a, T> {
    #[inline]
    pub(super) fn new(
        copy: &'a T,
        cpu: CpuId,
        #[cfg(platform = "kernel")] stays: crate::platform::PreemptionGuard,
    ) -> Self {
        Self {
            copy,
            cpu,
            #[cfg(platform = "kernel")]
            _stays: stays,
            not_send: PhantomData,
        }
    }

    /// The CPU whose copy this is.
    #[inline]
    #[must_use]
    pub fn cpu(&self) -> CpuId {
        self.cpu
    }
}

impl<T> Deref for CpuVar<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.copy
    }
}
