//! A lock that is no per-CPU variable: there is nothing to lock it by.

use percpu_rt::LocalLock;

static PLAIN: LocalLock<u64> = LocalLock::new(0);

fn main() {
    PLAIN.lock();
    PLAIN.with(|plain| *plain += 1);
}
