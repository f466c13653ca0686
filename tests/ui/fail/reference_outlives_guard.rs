//! What a guard lends ends with the guard.

use std::sync::atomic::AtomicU64;

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: AtomicU64 = AtomicU64::new(0);

fn main() {
    let hits: &AtomicU64 = {
        let guard = HITS.get_cpu_var();
        &guard
    };
    println!("{hits:?}");
}
