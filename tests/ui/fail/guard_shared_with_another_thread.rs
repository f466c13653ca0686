//! A guard is not borrowed by another thread either.

use std::sync::atomic::AtomicU64;
use std::thread;

use percpu_rt::per_cpu;

#[per_cpu]
static HITS: AtomicU64 = AtomicU64::new(0);

fn main() {
    let hits = HITS.get_cpu_var();
    thread::scope(|scope| {
        scope.spawn(|| hits.cpu());
    });
}
