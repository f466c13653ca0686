//! An initializer that panics does so at compile time.

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: u64 = [1, 2][2];

fn main() {
    HITS.inc();
}
