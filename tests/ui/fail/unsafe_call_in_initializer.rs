//! The expansion lends no `unsafe` to the initializer.

use percpu_rt::per_cpu;

const unsafe fn secret() -> u64 {
    0
}

#[per_cpu]
static HITS: u64 = secret();

fn main() {}
