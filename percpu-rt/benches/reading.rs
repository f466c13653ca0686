//! What does reading cost, next to a relaxed atomic load?
//!
//! Fairness: the atomic load is kept from being moved out of its loop, as it would be in none of the variants. Every variant adds up what it reads. All copies read are in the L1 cache. `sum` and the loop read a copy for each possible CPU, the orphan included; their figures are for all copies.

mod harness;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use harness::baseline::Line;
use harness::{Group, Session, machine};
use percpu_rt::{CpuId, per_cpu, possible_cpus};

/// What an object per CPU looks like.
struct Stats {
    packets: AtomicU64,
}

static ATOMIC: Line = Line::new();
#[per_cpu(shared_aligned)]
static WORD: u64 = 0;
#[per_cpu(shared_aligned)]
static OBJECT: Stats = Stats { packets: AtomicU64::new(0) };

/// Adds up what an operation returns.
#[inline(always)]
fn sum_up(repetitions: u64, operation: impl Fn() -> u64) {
    let mut sum = 0_u64;
    for _ in 0..repetitions {
        sum = sum.wrapping_add(operation());
    }
    black_box(sum);
}

/// The CPU that is measured on, by number.
fn home() -> CpuId {
    black_box(machine::home())
}

fn main() -> ExitCode {
    let mut session = Session::start();
    Group::new("one copy")
        .floor("atomic load", |n| sum_up(n, || ATOMIC.load()))
        .variant("read", |n| sum_up(n, || WORD.read()))
        .variant("read_on", |n| {
            let cpu = home();
            sum_up(n, || WORD.read_on(cpu));
        })
        .variant("with", |n| sum_up(n, || OBJECT.with(|stats| stats.packets.load(Relaxed))))
        .variant("get_cpu_var", |n| sum_up(n, || OBJECT.get_cpu_var().packets.load(Relaxed)))
        .variant("on", |n| {
            let cpu = home();
            sum_up(n, || OBJECT.on(cpu).packets.load(Relaxed));
        })
        .run(&mut session);
    println!("\n{} possible CPUs, the orphan included", possible_cpus().count());
    Group::new("all copies")
        .floor("atomic load", |n| sum_up(n, || ATOMIC.load()))
        .variant("sum", |n| sum_up(n, || WORD.sum()))
        .variant("loop over read_on", |n| sum_up(n, || possible_cpus().map(|cpu| WORD.read_on(cpu)).sum()))
        .run(&mut session);
    session.finish()
}
