//! A guard that is dropped by another thread than the one that locked.

use percpu_rt::{LocalLock, per_cpu};

#[per_cpu]
static LOCKED: LocalLock<u64> = LocalLock::new(0);

fn main() {
    let guard = LOCKED.lock();
    std::thread::spawn(move || drop(guard));
}
