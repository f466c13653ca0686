//! Statistics in a struct, one a CPU, printed while they change.
//!
//! Several numbers that belong together make an object: the struct is lent as a shared reference, and its fields are
//! atomics. Each CPU's copy is on cache lines of its own, so an update meets nobody; the printing thread reads the
//! copies of all CPUs as they are, without stopping anyone.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use percpu_rt::{CpuId, per_cpu};

const WORKERS: u64 = 4;

/// Lines of the table.
const SAMPLES: usize = 5;

const INTERVAL: Duration = Duration::from_millis(200);

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

/// What all CPUs together have counted.
#[derive(Default)]
struct Totals {
    requests: u64,
    bytes: u64,
    errors: u64,
}

impl Totals {
    /// Reads every CPU's copy. The CPUs go on meanwhile: no count is lost, but the sums are of no single moment.
    fn read() -> Self {
        let mut totals = Self::default();
        for (_cpu, stats) in STATS.iter() {
            totals.requests += stats.requests.load(Relaxed);
            totals.bytes += stats.bytes.load(Relaxed);
            totals.errors += stats.errors.load(Relaxed);
        }
        totals
    }
}

/// The requests of each CPU that has served some. The last possible CPU is none: its copy serves threads that the
/// kernel gives no restartable sequences.
fn each_cpu() -> String {
    let served = STATS.iter().map(|(cpu, stats)| (cpu, stats.requests.load(Relaxed))).filter(|(_, served)| *served > 0);
    let name = |cpu: CpuId| if cpu.is_orphan() { "orphan".to_owned() } else { format!("cpu {cpu}") };
    served.map(|(cpu, served)| format!("{}: {served}", name(cpu))).collect::<Vec<_>>().join(", ")
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

    println!("{WORKERS} workers serve requests; the totals so far, every {} ms", INTERVAL.as_millis());
    println!("{:>12} {:>15} {:>10}  requests by CPU", "requests", "bytes", "errors");
    for _ in 0..SAMPLES {
        thread::sleep(INTERVAL);
        let Totals { requests, bytes, errors } = Totals::read();
        println!("{requests:>12} {bytes:>15} {errors:>10}  {}", each_cpu());
    }
    STOP.store(true, Relaxed);
    let served: u64 = workers.into_iter().map(|worker| worker.join().expect("a worker only counts")).sum();
    // Nobody counts any more: from here on the sum is exact.
    let counted = Totals::read().requests;
    println!("total {counted} true {served}");
    if counted == served { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
