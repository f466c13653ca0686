//! The guard of `get_cpu_var`.

use core::marker::PhantomData;
use core::ops::Deref;

use crate::cpu::CpuId;

/// One CPU's copy of an object, with that CPU's name: what `get_cpu_var` returns.
///
/// It stays on the thread that got it. In a Linux process that thread may still migrate, and the guard then goes on
/// naming the copy it was made for.
#[derive(Debug)]
#[must_use = "the copy is reached through the guard"]
pub struct CpuVar<'a, T> {
    copy: &'a T,
    cpu: CpuId,
    // A guard is about the thread that got it.
    not_send: PhantomData<*mut ()>,
}

impl<'a, T> CpuVar<'a, T> {
    #[inline]
    pub(super) fn new(copy: &'a T, cpu: CpuId) -> Self {
        Self { copy, cpu, not_send: PhantomData }
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
