//! What does a lock of one's own CPU's copy cost, next to a mutex that nobody else wants and to one that others share?
//!
//! Fairness: a pair locks, adds one to the `u64` and unlocks, in both. The mutex is alone on its cache line, as the per-CPU copies
//! are. With two threads, each is on a CPU of its own: the lock serves each from its own copy, the mutex both.
//! `lock_on` takes another CPU's copy, on which nothing runs, or the own one.

mod harness;

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use harness::{Group, Session, machine};
use percpu_rt::{CpuId, LocalLock, per_cpu};

/// A mutex alone on its cache line.
#[repr(align(64))]
struct Line(Mutex<u64>);

static MUTEX: Line = Line(Mutex::new(0));
#[per_cpu(shared_aligned)]
static LOCAL: LocalLock<u64> = LocalLock::new(0);

fn local(repetitions: u64) {
    for _ in 0..repetitions {
        *LOCAL.lock() += 1;
    }
}

fn with(repetitions: u64) {
    for _ in 0..repetitions {
        LOCAL.with(|value| *value += 1);
    }
}

fn mutex(repetitions: u64) {
    for _ in 0..repetitions {
        *MUTEX.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }
}

fn claim(cpu: CpuId, repetitions: u64) {
    for _ in 0..repetitions {
        *LOCAL.lock_on(cpu).expect("the group is run where claims are supported") += 1;
    }
}

fn main() -> ExitCode {
    let mut session = Session::start();
    Group::new("uncontended")
        .variant("LocalLock pair", local)
        .faster(7.0)
        .variant("LocalLock::with", with)
        .faster(7.0)
        .yardstick("Mutex", mutex)
        .run(&mut session);
    if machine::rival().is_some() {
        Group::new("two threads")
            .contended("LocalLock pair, two threads", local)
            .faster(15.0)
            .contended_yardstick("one Mutex, two threads", mutex)
            .run(&mut session);
    }
    if LOCAL.lock_on(machine::home()).is_err() {
        println!("lock_on: this kernel does not support it");
        return session.finish();
    }
    Group::new("claims")
        .variant("lock_on this CPU", |n| claim(machine::home(), n))
        .variant("lock_on another CPU", |n| claim(machine::rival().unwrap_or(machine::home()), n))
        .run(&mut session);
    session.finish()
}
