//! `init` gets the CPU and the address of its copy.

use percpu_rt::{CpuId, per_cpu};

unsafe fn seed(_cpu: CpuId) {}

#[per_cpu(init = seed)]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
