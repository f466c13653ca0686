//! Nor does it lend `unsafe` to the generic arguments of `init`.

use percpu_rt::{CpuId, per_cpu};

const unsafe fn secret() -> u64 {
    0
}

unsafe fn seed<const N: u64>(_cpu: CpuId, _copy: *mut u64) {}

#[per_cpu(init = seed::<{ secret() }>)]
static HITS: u64 = 0;

fn main() {}
