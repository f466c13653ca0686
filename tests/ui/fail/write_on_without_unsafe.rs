//! Writing another CPU's copy races with that CPU's operations, so it takes an `unsafe` block.

use percpu_rt::{per_cpu, this_cpu};

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    HITS.write_on(this_cpu(), 1);
}
