//! An object that is not `Sync` yields no reference to another CPU's copy.

use std::cell::Cell;

use percpu_rt::{per_cpu, this_cpu};

#[per_cpu]
static HITS: Cell<u64> = Cell::new(0);

fn main() {
    HITS.on(this_cpu()).set(1);
    for (_, hits) in HITS.iter() {
        hits.set(1);
    }
}
