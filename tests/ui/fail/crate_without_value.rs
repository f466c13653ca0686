//! `crate` without its path.

use percpu_rt::per_cpu;

#[per_cpu(crate)]
static HITS: u64 = 0;

#[per_cpu(crate = "percpu_rt")]
static MISSES: u64 = 0;

fn main() {
    HITS.inc();
    MISSES.inc();
}
