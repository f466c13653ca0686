//! A word needs no lock, and has none.

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    *HITS.lock() += 1;
}
