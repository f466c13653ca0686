//! Without an initializer there is nothing to copy to each CPU.

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: u64;

fn main() {
    HITS.inc();
}
