//! `zeroed` promises an initializer of zero bytes only; where some are padding, the code generator holds it to that.

use percpu_rt::per_cpu;

#[per_cpu(zeroed)]
static HITS: (u8, u32) = (0, 1);

fn main() {
    HITS.with(|_| ());
}
