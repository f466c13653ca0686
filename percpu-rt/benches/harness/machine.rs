//! The CPU to measure on, and one for a second thread.

use std::sync::OnceLock;

use percpu_rt::{CpuId, online_cpus};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs that this process may use, from the last: the first ones serve most interrupts.
fn usable() -> &'static [CpuId] {
    static USABLE: OnceLock<Vec<CpuId>> = OnceLock::new();
    USABLE.get_or_init(|| {
        let allowed = sched_getaffinity(None).expect("a thread can ask for its own affinity");
        let mut usable: Vec<_> = online_cpus().filter(|&cpu| allowed.is_set(cpu.index())).collect();
        usable.reverse();
        usable
    })
}

/// The CPU on which variants are measured.
pub(crate) fn home() -> CpuId {
    *usable().first().expect("this thread runs somewhere")
}

/// The CPU for a second thread, where there is one.
pub(crate) fn rival() -> Option<CpuId> {
    usable().get(1).copied()
}

/// Keeps the calling thread on a CPU.
pub(crate) fn pin(cpu: CpuId) {
    let mut set = CpuSet::new();
    set.set(cpu.index());
    sched_setaffinity(None, &set).expect("a thread may stay on a CPU that it is allowed to use");
}
