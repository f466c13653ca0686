//! A `const` has no memory.

use percpu_rt::per_cpu;

#[per_cpu]
const HITS: u64 = 0;

fn main() {
    HITS.inc();
}
