//! A reference is a word in a static alone.

use percpu_rt::PerCpuBox;

static ONE: u64 = 1;

fn main() {
    let boxed = PerCpuBox::new(&ONE);
    boxed.write(&ONE);
}
