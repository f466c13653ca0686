//! A variable has one class.

use percpu_rt::per_cpu;

#[per_cpu(hot, zeroed)]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
