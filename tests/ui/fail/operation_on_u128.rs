//! 16 bytes have two operations.

use percpu_rt::per_cpu;

#[per_cpu]
static WIDE: u128 = 0;

fn main() {
    WIDE.inc();
    WIDE.write(1);
}
