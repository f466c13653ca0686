//! An object that is not `Sync` yields no reference on this CPU: a signal handler could reach it as well.

use std::cell::Cell;

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: Cell<u64> = Cell::new(0);

fn main() {
    HITS.with(|hits| hits.set(1));
    HITS.get_cpu_var().set(1);
}
