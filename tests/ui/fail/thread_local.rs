//! Per CPU and per thread exclude each other.

use percpu_rt::per_cpu;

#[per_cpu]
#[thread_local]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
