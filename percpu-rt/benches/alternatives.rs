//! What does an increment cost with what one would use instead of a per-CPU variable?
//!
//! Fairness: the `thread_local!` counter gets the same single instruction as the plain one. It is the one alternative that
//! no other thread can add up. The shards are as many as there are CPUs, alone on their lines, and indexed by glibc's
//! `sched_getcpu`, which reads the number from the same place as a per-CPU operation. Contended variants run at once
//! on two CPUs. Without a registration for restartable sequences the bench runs once more, as a process of its own.

mod harness;

use std::cell::Cell;
use std::process::{Command, ExitCode};
use std::sync::LazyLock;
use std::sync::atomic::Ordering::Relaxed;

use harness::baseline::{self, Line};
use harness::{Group, Session};
use percpu_rt::{nr_cpu_ids, per_cpu, this_cpu};

/// glibc's setting by which it registers no thread.
const UNREGISTERED: (&str, &str) = ("GLIBC_TUNABLES", "glibc.pthread.rseq=0");

static PLAIN: Line = Line::new();
static SHARED: Line = Line::new();
static SHARDS: LazyLock<Vec<Line>> = LazyLock::new(|| (0..nr_cpu_ids()).map(|_| Line::new()).collect());
thread_local! {
    static LOCAL: Cell<u64> = const { Cell::new(0) };
}
#[per_cpu(shared_aligned)]
static PER_CPU: u64 = 0;

fn plain(repetitions: u64) {
    for _ in 0..repetitions {
        PLAIN.inc();
    }
}

fn per_cpu(repetitions: u64) {
    for _ in 0..repetitions {
        PER_CPU.inc();
    }
}

fn thread_local(repetitions: u64) {
    for _ in 0..repetitions {
        LOCAL.with(|counter| {
            // SAFETY: this thread's own counter, to which no reference exists meanwhile.
            unsafe { baseline::inc(counter.as_ptr()) }
        });
    }
}

fn shard(repetitions: u64) {
    let shards = SHARDS.as_slice();
    for _ in 0..repetitions {
        // SAFETY: has no preconditions.
        let cpu = unsafe { libc::sched_getcpu() } as usize;
        shards[cpu % shards.len()].0.fetch_add(1, Relaxed);
    }
}

fn shared(repetitions: u64) {
    for _ in 0..repetitions {
        SHARED.0.fetch_add(1, Relaxed);
    }
}

fn main() -> ExitCode {
    let mut session = Session::start();
    let title = if this_cpu().is_orphan() { "not registered" } else { "registered" };
    Group::new(title)
        .floor("plain inc", plain)
        .variant("per-CPU inc", per_cpu)
        .variant("thread_local! Cell", thread_local)
        .variant("sched_getcpu, padded atomics", shard)
        .variant("one atomic", shared)
        .contended("per-CPU inc, two threads", per_cpu)
        .contended("padded atomics, two threads", shard)
        .contended("one atomic, two threads", shared)
        .run(&mut session);
    if !this_cpu().is_orphan() {
        run_unregistered();
    }
    session.finish()
}

/// Runs this bench again with every thread on the orphan unit.
fn run_unregistered() {
    let program = std::env::current_exe().expect("Linux knows the running program");
    let status = Command::new(program).args(std::env::args_os().skip(1)).env(UNREGISTERED.0, UNREGISTERED.1).status();
    if !status.is_ok_and(|status| status.success()) {
        println!("not registered: could not be measured");
    }
}
