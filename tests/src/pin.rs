//! Threads on a given CPU.

use std::thread;

use percpu_rt::{CpuId, possible_cpus};
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

/// The CPUs on which this thread may run.
///
/// # Panics
///
/// Where the kernel does not tell.
#[must_use]
pub fn allowed() -> Vec<CpuId> {
    let set = sched_getaffinity(None).expect("a thread knows its affinity");
    possible_cpus().filter(|cpu| cpu.os_id().is_some_and(|id| set.is_set(id as usize))).collect()
}

/// Lets a thread (`None`: the calling one) run on `cpu` alone; it is there when this returns. The orphan is no place.
///
/// # Errors
///
/// The thread is gone, or may not run there.
pub fn pin(thread: Option<Pid>, cpu: CpuId) -> rustix::io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu.os_id().ok_or(rustix::io::Errno::INVAL)? as usize);
    sched_setaffinity(thread, &set)
}

/// Calls `f` on a thread of its own that stays on `cpu`.
///
/// # Panics
///
/// Where `f` does, or where the thread may not run on `cpu`.
pub fn on<R: Send>(cpu: CpuId, f: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            pin(None, cpu).expect("the CPU is one of those allowed");
            f()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
