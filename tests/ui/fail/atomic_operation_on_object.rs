//! The methods of an atomic are those of its copies, not of the handle.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: AtomicU64 = AtomicU64::new(0);

fn main() {
    HITS.fetch_add(1, Relaxed);
    println!("{}", HITS.load(Relaxed));
}
