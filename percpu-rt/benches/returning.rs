//! What do operations that return something cost, each next to its own locked instruction?
//!
//! Fairness: results are used (summed up, or compared), the counters stay in the L1 cache, and the locked forms are the
//! compiler's own for `AtomicU64`. Every compare-and-exchange succeeds, which is checked.

mod harness;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;

use harness::baseline::Line;
use harness::{Group, Session};
use percpu_rt::per_cpu;

static LOCKED: Line = Line::new();
#[per_cpu(shared_aligned)]
static PER_CPU: u64 = 0;

/// Sums up what an operation returns for the numbers from 0.
#[inline(always)]
fn sum_up(repetitions: u64, operation: impl Fn(u64) -> u64) {
    let mut sum = 0_u64;
    for number in 0..repetitions {
        sum = sum.wrapping_add(operation(number));
    }
    black_box(sum);
}

/// Counts on by compare-and-exchange; the thread is alone, so that each succeeds.
#[inline(always)]
fn count_on(start: u64, repetitions: u64, cmpxchg: impl Fn(u64, u64) -> Result<u64, u64>) {
    for value in start..start + repetitions {
        assert!(cmpxchg(value, value + 1).is_ok(), "a counter that nobody else knows was changed");
    }
}

fn main() -> ExitCode {
    let mut session = Session::start();
    Group::new("add_return")
        .variant("per-CPU add_return", |n| sum_up(n, |_| PER_CPU.add_return(1)))
        .faster(8.0)
        .yardstick("lock xadd", |n| sum_up(n, |_| LOCKED.0.fetch_add(1, Relaxed) + 1))
        .run(&mut session);
    Group::new("cmpxchg")
        .variant("per-CPU cmpxchg", |n| count_on(PER_CPU.read(), n, |old, new| PER_CPU.cmpxchg(old, new)))
        .faster(8.0)
        .yardstick("lock cmpxchg", |n| {
            let cmpxchg = |old, new| LOCKED.0.compare_exchange(old, new, Relaxed, Relaxed);
            count_on(LOCKED.0.load(Relaxed), n, cmpxchg);
        })
        .run(&mut session);
    Group::new("xchg")
        .variant("per-CPU xchg", |n| sum_up(n, |value| PER_CPU.xchg(value)))
        .faster(8.0)
        .yardstick("xchg (locked)", |n| sum_up(n, |value| LOCKED.0.swap(value, Relaxed)))
        .run(&mut session);
    session.finish()
}
