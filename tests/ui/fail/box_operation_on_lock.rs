//! A lock has no operations, whatever it holds.

use percpu_rt::{LocalLock, PerCpuBox};

fn add(hits: &PerCpuBox<LocalLock<u64>>) {
    hits.inc();
}

fn main() {}
