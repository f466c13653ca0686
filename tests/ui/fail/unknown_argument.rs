//! An argument that does not exist.

use percpu_rt::per_cpu;

#[per_cpu(aligned)]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
