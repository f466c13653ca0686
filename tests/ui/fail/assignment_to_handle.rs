//! The handle is not the variable: it cannot be assigned or dereferenced.

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    HITS = 1;
    let _: u64 = *HITS;
}
