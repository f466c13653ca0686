//! What does an increment cost, next to a plain `inc` and to `lock xadd`?
//!
//! Fairness: each variant has its counters on cache lines of its own, which stay in the L1 cache. The plain `inc` takes its
//! address from a register, as the per-CPU one does. The loops are the compiler's, and the same for all. Sixteen
//! counters are sixteen variables in straight line: the addresses of none of the variants fit the registers.
//!
//! "A store and a plain inc" shows what any sequence costs at the least that has to store where its descriptor is.

mod harness;

use std::process::ExitCode;

use harness::baseline::Line;
use harness::{Group, Session};
use percpu_rt::per_cpu;

static PLAIN: Line = Line::new();
static ARMED: Line = Line::new();
static LOCKED: Line = Line::new();
#[per_cpu(shared_aligned)]
static PER_CPU: u64 = 0;

/// Sixteen counters for each variant, and blocks that add one to each of them in turn.
macro_rules! sixteen {
    ($($name:ident)*) => {
        mod plain {
            $(pub(super) static $name: crate::Line = crate::Line::new();)*
        }
        mod locked {
            $(pub(super) static $name: crate::Line = crate::Line::new();)*
        }
        $(#[percpu_rt::per_cpu(shared_aligned)] static $name: u64 = 0;)*

        fn plain_sixteen(repetitions: u64) {
            for _ in 0..repetitions {
                $(plain::$name.inc();)*
            }
        }

        fn two_stores_sixteen(repetitions: u64) {
            for number in 0..repetitions {
                $(
                    ARMED.store(number);
                    plain::$name.inc();
                )*
            }
        }

        fn locked_sixteen(repetitions: u64) {
            for _ in 0..repetitions {
                $(locked::$name.lock_xadd();)*
            }
        }

        fn per_cpu_sixteen(repetitions: u64) {
            for _ in 0..repetitions {
                $($name.inc();)*
            }
        }
    };
}
sixteen!(C0 C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15);

fn plain_one(repetitions: u64) {
    for _ in 0..repetitions {
        PLAIN.inc();
    }
}

fn two_stores_one(repetitions: u64) {
    for number in 0..repetitions {
        ARMED.store(number);
        PLAIN.inc();
    }
}

fn locked_one(repetitions: u64) {
    for _ in 0..repetitions {
        LOCKED.lock_xadd();
    }
}

fn per_cpu_one(repetitions: u64) {
    for _ in 0..repetitions {
        PER_CPU.inc();
    }
}

fn main() -> ExitCode {
    let mut session = Session::start();
    Group::new("one counter")
        .floor("plain inc", plain_one)
        .variant("per-CPU inc", per_cpu_one)
        .at_most(2.0)
        .faster(9.5)
        .variant("a store and a plain inc", two_stores_one)
        .yardstick("lock xadd", locked_one)
        .run(&mut session);
    Group::new("sixteen counters")
        .unrolled(16)
        .floor("plain inc", plain_sixteen)
        .variant("per-CPU inc", per_cpu_sixteen)
        .at_most(1.7)
        .faster(11.0)
        .variant("a store and a plain inc", two_stores_sixteen)
        .yardstick("lock xadd", locked_sixteen)
        .run(&mut session);
    session.finish()
}
