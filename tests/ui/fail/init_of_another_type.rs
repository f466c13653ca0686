//! `init` gets the address of the variable's own type.

use percpu_rt::{CpuId, per_cpu};

unsafe fn seed(_cpu: CpuId, _copy: *mut u32) {}

#[per_cpu(init = seed)]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
