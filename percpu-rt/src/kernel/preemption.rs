//! Preemption off, where a kernel has such a thing.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::{Acquire, Release};

/// How a kernel keeps a thread on its CPU.
#[derive(Clone, Copy, Debug)]
pub struct Preemption {
    /// From here on the thread stays on this CPU; nests.
    pub disable: fn(),
    /// Takes one `disable` back.
    pub enable: fn(),
}

/// The kernel's [`Preemption`]; null where it has none.
static PREEMPTION: AtomicPtr<Preemption> = AtomicPtr::new(core::ptr::null_mut());

/// Has [`get_cpu_var`](crate::PerCpu::get_cpu_var) and [`PreemptionGuard`] call the kernel's functions. Without, no thread is taken to
/// be preempted in the kernel.
///
/// # Safety
///
/// The functions may be called in any context in which variables are used, and the first keeps the caller on its CPU until the second
/// is called as often. Called before any thread can be preempted.
pub unsafe fn set_preemption(functions: &'static Preemption) {
    PREEMPTION.store(core::ptr::from_ref(functions).cast_mut(), Release);
}

fn functions() -> Option<&'static Preemption> {
    // SAFETY: null, or a reference for good (`set_preemption`).
    unsafe { PREEMPTION.load(Acquire).as_ref() }
}

/// The thread stays on its CPU while one of these lives, however many there are and in whichever order they go.
///
/// Context: any. Costs a load, and the kernel's function. Linux: `preempt_disable`, `preempt_enable`.
#[must_use = "preemption is on again as soon as the guard is dropped"]
pub struct PreemptionGuard {
    /// What was called, and has to be taken back.
    functions: Option<&'static Preemption>,
    // The guard of a CPU.
    not_send: PhantomData<*mut ()>,
}

impl PreemptionGuard {
    /// Turns preemption off.
    #[doc(alias = "preempt_disable")]
    #[inline]
    pub fn new() -> Self {
        let functions = functions();
        if let Some(functions) = functions {
            (functions.disable)();
        }
        Self { functions, not_send: PhantomData }
    }
}

impl Default for PreemptionGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for PreemptionGuard {
    #[inline]
    fn drop(&mut self) {
        if let Some(functions) = self.functions {
            (functions.enable)();
        }
    }
}

impl fmt::Debug for PreemptionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreemptionGuard").finish_non_exhaustive()
    }
}
