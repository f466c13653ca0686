//! Fork counts kept per CPU, as Linux's kernel/fork.c keeps `process_counts`.
//!
//! Workers on every CPU count "forks" by one restartable sequence each. The sum over the possible CPUs is the
//! number of forks, and it is exact although no increment was atomic. The layout printed with it is what a kernel
//! with the same variables would show.

use std::process::ExitCode;
use std::thread;

use percpu_rt::{CpuId, online_cpus, per_cpu, per_cpu_offset, possible_cpus, static_size, unit_size};

/// Forks that each worker counts.
const FORKS: u64 = 1_000_000;

/// Workers on each CPU: more than one, so that they preempt each other in the middle of it.
const WORKERS_PER_CPU: usize = 2;

/// Forks counted on each CPU.
#[per_cpu]
static PROCESS_COUNTS: u64 = 0;

fn main() -> ExitCode {
    let workers: Vec<_> = online_cpus()
        .flat_map(|cpu| [cpu; WORKERS_PER_CPU])
        .map(|cpu| {
            thread::spawn(move || {
                pin_to(cpu);
                for _ in 0..FORKS {
                    PROCESS_COUNTS.inc();
                }
            })
        })
        .collect();
    let forks = FORKS * workers.len() as u64;
    for worker in workers {
        worker.join().expect("a worker only counts");
    }

    println!("static size {}", static_size());
    println!("unit size {}", unit_size());
    let mut previous = None;
    for cpu in possible_cpus() {
        let offset = per_cpu_offset(cpu);
        // The first CPU has none before it, and shows what the distance would be.
        let delta = previous.map_or(unit_size() as isize, |previous: isize| offset.wrapping_sub(previous));
        println!("cpu {cpu} offset {offset:#x} delta {delta} count {}", PROCESS_COUNTS.read_on(cpu));
        previous = Some(offset);
    }
    let total = PROCESS_COUNTS.sum();
    println!("total {total} true {forks}");
    if total == forks { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Moves the calling thread to a CPU. Where that is not allowed the worker stays where it is and counts there.
fn pin_to(cpu: CpuId) {
    let Some(number) = cpu.os_id() else { return };
    let mut set = rustix::thread::CpuSet::new();
    set.set(number as usize);
    let _ = rustix::thread::sched_setaffinity(None, &set);
}
