//! A cache of objects a CPU, on [`LocalLock`].
//!
//! What a thread frees stays with the CPU it ran on, and the next allocation on that CPU takes it, still warm: no
//! allocator, no atomic instruction. A kernel's slab allocator and tcmalloc work like this. The lock gives
//! `&mut` to this CPU's list; `lock_on` reaches the others' when memory is to be given back.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use percpu_rt::{CpuId, LocalLock, per_cpu, possible_cpus};

/// Objects that a CPU keeps at the most.
const CAPACITY: usize = 64;

const WORKERS: usize = 4;

/// Times that each worker takes some pages, writes to them and frees them.
const ROUNDS: usize = 200_000;

/// Pages that a worker holds at the most.
const BATCH: usize = 8;

/// What is cached: something that is dear to make.
struct Page([u8; 4096]);

/// How many of them exist.
static LIVE: AtomicUsize = AtomicUsize::new(0);

impl Page {
    fn new() -> Box<Self> {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Box::new(Self([0; 4096]))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Pages that each CPU keeps.
#[per_cpu(shared_aligned)]
static CACHE: LocalLock<Vec<Box<Page>>> = LocalLock::new(Vec::new());

/// Allocations served from a cache, and those that were not.
#[per_cpu]
static HITS: u64 = 0;
#[per_cpu]
static MISSES: u64 = 0;

fn allocate() -> Box<Page> {
    // The lock is held for the pop alone: making a page takes longer than anybody should wait.
    match CACHE.with(Vec::pop) {
        Some(page) => {
            HITS.inc();
            page
        }
        None => {
            MISSES.inc();
            Page::new()
        }
    }
}

fn free(page: Box<Page>) {
    // What does not fit comes back out of the lock, and is dropped behind it.
    let _surplus = CACHE.with(|cache| {
        if cache.len() < CAPACITY {
            cache.push(page);
            None
        } else {
            Some(page)
        }
    });
}

fn main() -> ExitCode {
    println!("{WORKERS} workers take 1 to {BATCH} pages, write to them and free them, {ROUNDS} times each");
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            thread::spawn(move || {
                for round in 0..ROUNDS {
                    let mut pages: Vec<_> = (0..1 + round % BATCH).map(|_| allocate()).collect();
                    for page in &mut pages {
                        page.0[round % 4096] = worker as u8;
                    }
                    pages.into_iter().for_each(free);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("a worker only allocates and frees");
    }

    let (hits, misses) = (HITS.sum(), MISSES.sum());
    println!("allocated {} hits {hits} misses {misses}", hits + misses);
    println!("pages made {misses}, or one in {} allocations", (hits + misses) / misses.max(1));

    // The workers are gone, and their pages lie where they were freed. A CPU need not run for its list to be emptied.
    for cpu in possible_cpus() {
        match CACHE.lock_on(cpu) {
            Ok(cache) if cache.is_empty() => {}
            Ok(mut cache) => {
                println!("{} gives back {} pages", name(cpu), cache.len());
                cache.clear();
            }
            Err(error) => println!("{} keeps its pages: {error}", name(cpu)),
        }
    }
    let live = LIVE.load(Ordering::Relaxed);
    println!("pages left {live}");
    if live == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The last possible CPU is none: its copy serves threads that the kernel gives no restartable sequences.
fn name(cpu: CpuId) -> String {
    if cpu.is_orphan() { "orphan".to_owned() } else { format!("cpu {cpu}") }
}
