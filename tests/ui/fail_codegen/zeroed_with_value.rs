//! `zeroed` promises an initializer of zero bytes only; the code generator holds it to that.

use percpu_rt::per_cpu;

#[per_cpu(zeroed)]
static HITS: u64 = 1;

fn main() {
    HITS.inc();
}
