//! Sixteen bytes at once, by `cmpxchg16b`: halves that belong together, whoever interrupts whom.

use percpu_rt::{per_cpu, possible_cpus};

use crate::exit;

/// A count of steps, and three times as many.
#[per_cpu]
static PAIR: u128 = 0;

fn pair(count: u64) -> u128 {
    u128::from(count.wrapping_mul(3)) << 64 | u128::from(count)
}

/// One step, which may be interrupted by others.
pub fn step() {
    loop {
        let found = PAIR.read();
        let count = found as u64;
        if found != pair(count) {
            exit::fail(format_args!("a pair of {found:#x}"));
        }
        if PAIR.cmpxchg(found, pair(count + 1)).is_ok() {
            return;
        }
    }
}

/// Whether `steps` have been counted; when all CPUs have stopped.
pub fn verify(steps: u64) {
    // SAFETY: aligned and initialised in each unit, and nobody writes it any more.
    let counted = possible_cpus().map(|cpu| unsafe { PAIR.per_cpu_ptr(cpu).read() } as u64).sum::<u64>();
    if counted != steps {
        exit::fail(format_args!("{counted} pairs, should be {steps}"));
    }
}
