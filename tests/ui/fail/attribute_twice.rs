//! A handle is not made per-CPU again.

use percpu_rt::per_cpu;

#[per_cpu]
#[per_cpu(hot)]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
