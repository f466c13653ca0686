//! Statistics in a struct, one a CPU, printed while they change.
//!
//! Several numbers that belong together make an object: the struct is lent as a shared reference, and its fields are
//! atomics. Each CPU's copy is on cache lines of its own, so an update meets nobody; the printing thread reads the
//! copies of all CPUs as they are, without stopping anyone.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use percpu_rt::per_cpu;

const WORKERS: u64 = 4;

/// Lines of the table.
const SAMPLES: usize = 5;

/// What a server would want to know.
struct Stats {
    requests: AtomicU64,
    bytes: AtomicU64,
    errors: AtomicU64,
}

#[per_cpu(shared_aligned)]
static STATS: Stats = Stats { requests: AtomicU64::new(0), bytes: AtomicU64::new(0), errors: AtomicU64::new(0) };

static STOP: AtomicBool = AtomicBool::new(false);

/// Serves a request of so many bytes.
fn serve(bytes: u64) {
    STATS.with(|stats| {
        stats.requests.fetch_add(1, Relaxed);
        stats.bytes.fetch_add(bytes, Relaxed);
        if bytes.is_multiple_of(97) {
            stats.errors.fetch_add(1, Relaxed);
        }
    });
}

/// The sum of one field over all CPUs.
fn total(field: fn(&Stats) -> &AtomicU64) -> u64 {
    STATS.iter().map(|(_cpu, stats)| field(stats).load(Relaxed)).sum()
}

fn main() -> ExitCode {
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            thread::spawn(move || {
                let mut served = 0;
                while !STOP.load(Relaxed) {
                    serve(64 + (served * WORKERS + worker) % 1400);
                    served += 1;
                }
                served
            })
        })
        .collect();

    println!("{:>12} {:>15} {:>10}  requests of each CPU", "requests", "bytes", "errors");
    for _ in 0..SAMPLES {
        thread::sleep(Duration::from_millis(100));
        let each: Vec<_> = STATS.iter().map(|(cpu, stats)| format!("{cpu}:{}", stats.requests.load(Relaxed))).collect();
        println!(
            "{:>12} {:>15} {:>10}  {}",
            total(|stats| &stats.requests),
            total(|stats| &stats.bytes),
            total(|stats| &stats.errors),
            each.join(" ")
        );
    }
    STOP.store(true, Relaxed);
    let served: u64 = workers.into_iter().map(|worker| worker.join().expect("a worker only counts")).sum();
    let counted = total(|stats| &stats.requests);
    println!("total {counted} true {served}");
    if counted == served { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
