//! A `bool` has no arithmetic.

use percpu_rt::per_cpu;

#[per_cpu]
static BUSY: bool = false;

fn main() {
    BUSY.inc();
    BUSY.add(true);
}
