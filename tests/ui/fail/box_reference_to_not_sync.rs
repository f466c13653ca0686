use std::cell::Cell;

use percpu_rt::PerCpuBox;

fn main() {
    let boxed = PerCpuBox::new(Cell::new(1));
    boxed.with(|cell| cell.set(2));
}
