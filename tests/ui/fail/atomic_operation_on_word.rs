//! A word is no atomic: an operation takes no memory order.

use std::sync::atomic::Ordering::Relaxed;

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    HITS.store(1, Relaxed);
    println!("{}", HITS.load(Relaxed) + 1);
    HITS.fetch_add(1, Relaxed);
}
