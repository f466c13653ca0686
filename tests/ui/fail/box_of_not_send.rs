//! A box is dropped by whichever thread has it.

use std::rc::Rc;

use percpu_rt::PerCpuBox;

fn main() {
    let _ = PerCpuBox::try_new(Rc::new(1));
}
