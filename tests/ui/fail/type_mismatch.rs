//! The initializer has another type than the static.

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: u64 = "none";

fn main() {
    HITS.inc();
}
