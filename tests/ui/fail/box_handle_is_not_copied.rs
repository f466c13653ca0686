//! What a box dereferences to goes nowhere without it.

use percpu_rt::PerCpuBox;

fn main() {
    let boxed = PerCpuBox::new(1_u64);
    let handle = *boxed;
    drop(boxed);
    handle.inc();
}
