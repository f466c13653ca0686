//! `init` without its function.

use percpu_rt::per_cpu;

#[per_cpu(init)]
static HITS: u64 = 0;

#[per_cpu(hot, init =)]
static MISSES: u64 = 0;

fn main() {
    HITS.inc();
    MISSES.inc();
}
