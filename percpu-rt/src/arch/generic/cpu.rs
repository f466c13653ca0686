//! Which CPU the thread runs on, and which thread it is.

use super::super::{MAX_CPUS, ORPHAN_SLOT};
use super::entry::is_set_up;

/// The table index of the running thread's unit, a hint by the time it is used; the orphan's where the operating
/// system does not tell.
#[inline]
pub(crate) fn current_cpu() -> usize {
    // SAFETY: takes no arguments and has no preconditions.
    let cpu = unsafe { libc::sched_getcpu() };
    // Whoever asks before set-up would take the answer for a CPU whose unit exists.
    assert!(is_set_up(), "a per-CPU variable was used before set-up");
    usize::try_from(cpu).ok().filter(|&cpu| cpu < MAX_CPUS).unwrap_or(ORPHAN_SLOT)
}

/// A number that no other live thread of the process has.
#[inline]
pub(crate) fn thread_pointer() -> usize {
    // SAFETY: takes no arguments and has no preconditions.
    unsafe { libc::pthread_self() as usize }
}
