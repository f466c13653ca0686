//! The copies of a lock are locked, in a dynamic variable too.

use percpu_rt::{LocalLock, PerCpuBox, this_cpu};

fn look(cache: &PerCpuBox<LocalLock<u64>>) {
    cache.on(this_cpu());
    for _ in cache.iter() {}
}

fn main() {}
