//! What a `LocalLock` asks of its platform, where it is held with interrupts off: the holder is not interrupted by whoever
//! wants the lock on this CPU, so nobody ever sleeps.

use core::sync::atomic::AtomicU32;
use core::time::Duration;

use crate::cpu::CpuId;

/// Lets some time pass.
pub(crate) fn wait(_: &AtomicU32, _: u32, _: Option<Duration>) {
    core::hint::spin_loop();
}

/// Nobody sleeps.
pub(crate) fn wake_all(_: &AtomicU32) {}

/// Nobody is woken, so nobody has to be told.
pub(crate) fn barrier_on_all_cpus() -> bool {
    true
}

/// Whether another CPU can be made to leave the steps in which it takes its own copy. By an interprocessor interrupt it could, and
/// might never answer: a handler of its own that waits for the claimed copy does so with interrupts off. A kernel that wants
/// another CPU's copy interrupts that CPU and locks there.
pub(crate) fn can_restart_sequences() -> bool {
    false
}

/// Never called, as [`can_restart_sequences`] says no.
pub(crate) fn restart_sequences(_: CpuId) -> bool {
    false
}
