//! Interrupts off, for as long as any guard lives.

use core::fmt;
use core::marker::PhantomData;

use crate::arch::interrupts;

/// This CPU's interrupts are off while one of these lives, however many there are and in whichever order they go; then they
/// are as they were before the first.
///
/// Context: any, after [`install`](super::install). Costs some 10 cycles. Linux: `local_irq_save`, `local_irq_restore`.
#[must_use = "interrupts are on again as soon as the guard is dropped"]
pub struct InterruptGuard {
    // The guard of a CPU.
    not_send: PhantomData<*mut ()>,
}

impl InterruptGuard {
    /// Turns interrupts off.
    #[doc(alias = "local_irq_save")]
    #[inline]
    pub fn new() -> Self {
        interrupts::enter();
        Self { not_send: PhantomData }
    }
}

impl Default for InterruptGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for InterruptGuard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this guard's own; it is not sent to another CPU, and with interrupts off nobody moves it.
        unsafe { interrupts::leave() };
    }
}

impl fmt::Debug for InterruptGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterruptGuard").finish_non_exhaustive()
    }
}
