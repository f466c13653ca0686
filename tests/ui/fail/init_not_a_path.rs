//! `init` takes the path of a function, not a closure.

use percpu_rt::per_cpu;

#[per_cpu(init = |_, _| ())]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
}
