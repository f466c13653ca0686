//! A function for set-up is an entry in a table, beside the template that it names.

use percpu_rt::{CpuId, per_cpu};

#[per_cpu(init = seed)]
static SEED: u64 = 1;

/// This CPU's copy, which nothing else can reach yet.
unsafe fn seed(cpu: CpuId, seed: *mut u64) {
    unsafe { *seed += cpu.index() as u64 };
}
