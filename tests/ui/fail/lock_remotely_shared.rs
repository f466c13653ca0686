//! Another CPU's copy of a lock without locking it.

use percpu_rt::{LocalLock, per_cpu, possible_cpus};

#[per_cpu]
static LOCKED: LocalLock<u64> = LocalLock::new(0);

fn main() {
    for cpu in possible_cpus() {
        let _ = LOCKED.on(cpu);
    }
}
