//! What a borrowed variable lends does not outlive the owner, although the borrowed one is copied.

use percpu_rt::{PerCpuBox, PerCpuRef};
use std::sync::atomic::AtomicU64;

fn main() {
    let owner = PerCpuBox::try_new_with(|_| AtomicU64::new(0)).unwrap();
    let first = PerCpuRef::from(&owner);
    let second = first;
    drop(owner);
    second.with(|count| count.load(std::sync::atomic::Ordering::Relaxed));
}
