//! An object has no arithmetic.

use std::sync::atomic::AtomicU64;

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: AtomicU64 = AtomicU64::new(0);

fn main() {
    HITS.inc();
    HITS.read();
}
