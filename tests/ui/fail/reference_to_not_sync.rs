//! A `&'static U` is a word only where `U: Sync`: every thread of a CPU reads the same reference.

use std::cell::Cell;

use percpu_rt::per_cpu;

#[per_cpu]
static CURRENT: Option<&'static Cell<u64>> = None;

fn main() {
    CURRENT.read();
}
