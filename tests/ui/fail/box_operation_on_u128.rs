//! Sixteen bytes have two operations of their own, in dynamic variables too.

use percpu_rt::PerCpuBox;

fn main() {
    let wide = PerCpuBox::new(1_u128);
    wide.inc();
}
