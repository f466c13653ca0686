//! What an initializer is told of the CPU whose copy it makes.

use percpu_rt::{CpuId, per_cpu, possible_cpus};

/// An operating system's number, or this.
const NONE: u64 = u64::MAX;

#[per_cpu(init = note)]
static NOTED: (u64, u64, bool) = (0, 0, false);

/// # Safety
///
/// `copy` is `cpu`'s, and nothing else can reach it yet.
unsafe fn note(cpu: CpuId, copy: *mut (u64, u64, bool)) {
    let noted = (cpu.index() as u64, cpu.os_id().map_or(NONE, u64::from), cpu.is_orphan());
    // SAFETY: the copy is ours (this function's contract).
    unsafe { copy.write(noted) }
}

#[per_cpu(init = rename)]
static NAME: &str = "template";

/// # Safety
///
/// As [`note`].
unsafe fn rename(cpu: CpuId, copy: *mut &'static str) {
    // SAFETY: the copy is ours (this function's contract).
    unsafe { copy.write(if cpu.is_orphan() { "orphan" } else { "processor" }) }
}

#[test]
fn it_knows_the_cpu() {
    for cpu in possible_cpus() {
        let expected = (cpu.index() as u64, cpu.os_id().map_or(NONE, u64::from), cpu.is_orphan());
        assert_eq!(*NOTED.on(cpu), expected);
        assert_eq!(*NAME.on(cpu), if cpu.is_orphan() { "orphan" } else { "processor" });
    }
}
