//! Another CPU may use a copy for as long as the box lives.

use percpu_rt::PerCpuBox;

fn main() {
    let local = 1;
    let _boxed = PerCpuBox::try_new_with(|_| &local);
}
