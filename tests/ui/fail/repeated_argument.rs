//! The same argument twice; the second is at fault.

use percpu_rt::per_cpu;

#[per_cpu(hot, hot)]
static HITS: u64 = 0;

#[per_cpu(crate = ::percpu_rt, crate = ::percpu_rt)]
static MISSES: u64 = 0;

fn main() {
    HITS.inc();
    MISSES.inc();
}
