//! A reference to a locked value that outlives the lock.

use percpu_rt::{LocalLock, per_cpu};

#[per_cpu]
static LOCKED: LocalLock<u64> = LocalLock::new(0);

fn main() {
    let escaped = LOCKED.with(|value| value);
    *escaped += 1;
    let outlives = &mut *LOCKED.lock();
    *outlives += 1;
}
