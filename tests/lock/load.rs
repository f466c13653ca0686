//! The load: eight threads lock their CPU's copy, while a disturber moves and interrupts them and one thread on each CPU
//! drains all copies.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use percpu_rt::{LocalLock, LocalLockGuard, per_cpu, possible_cpus};
use percpu_tests::churn::{Churn, SIGNAL};
use percpu_tests::pin;
use rustix::thread::gettid;

const THREADS: usize = 8;

/// Disturbances of a run at the least.
const DISTURBANCES: u64 = 2000;

/// Two numbers that are equal whenever nobody is in the middle of changing them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair(u64, u64);

#[per_cpu(shared_aligned)]
static PAIR: LocalLock<Pair> = LocalLock::new(Pair(0, 0));

/// Acquisitions by handlers, which only try.
static BY_HANDLERS: AtomicU64 = AtomicU64::new(0);

/// What is wrong with a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Somebody saw a pair in the middle of a change.
    Torn,
    /// The numbers that were added do not add up.
    Lost { counted: u64, found: u64 },
    /// Nobody has acquired anything for as long as the watchdog waits.
    Stuck,
}

/// Adds one to a pair in two steps; tells whether it was whole before.
fn add_one(mut pair: LocalLockGuard<'_, Pair>) -> bool {
    let whole = pair.0 == pair.1;
    pair.0 += 1;
    // Between the two, so that whoever else is here at the same time sees it.
    std::hint::black_box(&mut pair);
    pair.1 += 1;
    whole
}

extern "C" fn on_signal(_: libc::c_int) {
    // A lock that the interrupted code may hold can only be tried.
    if let Some(pair) = PAIR.try_lock() {
        if !add_one(pair) {
            // A handler has nobody to tell.
            std::process::abort();
        }
        BY_HANDLERS.fetch_add(1, Relaxed);
    }
}

/// Runs the load until `acquisitions` are done.
///
/// `patience` is the watchdog's, in hundredths of a second.
pub(crate) fn run(acquisitions: u64, patience: u32) -> Result<(), Flaw> {
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: a handler that does nothing but per-CPU and atomic operations.
    unsafe { libc::signal(SIGNAL, handler as *const () as libc::sighandler_t) };
    let before = BY_HANDLERS.load(Relaxed);
    let total = Arc::new(AtomicU64::new(0));
    let (stop, torn) = (&AtomicBool::new(false), &AtomicBool::new(false));
    let tids = Mutex::new(Vec::new());
    let (started, quiet) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let mut stuck = false;
    let drained = thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                tids.lock().expect("no thread panics with it").push(gettid());
                started.wait();
                while !stop.load(Relaxed) {
                    for _ in 0..100 {
                        if !add_one(PAIR.lock()) {
                            torn.store(true, Relaxed);
                        }
                    }
                    total.fetch_add(100, Relaxed);
                }
                // Until the disturber has stopped, as it signals live threads only.
                quiet.wait();
            });
        }
        // One on each CPU, so that claims come from the copy's own CPU and from others, and meet each other.
        let drainers = pin::allowed()
            .into_iter()
            .map(|cpu| {
                scope.spawn(move || {
                    pin::pin(None, cpu).expect("an allowed CPU");
                    let mut drained = 0;
                    while !stop.load(Relaxed) {
                        drained += drain().unwrap_or_else(|| {
                            torn.store(true, Relaxed);
                            0
                        });
                        // A pace: each round makes every CPU start again.
                        thread::sleep(Duration::from_micros(50));
                    }
                    drained
                })
            })
            .collect::<Vec<_>>();
        started.wait();
        let threads = tids.lock().expect("no thread panics with it").clone();
        let disturbed = Arc::new(AtomicU64::new(0));
        let churn = Churn::start(threads, 1, Arc::clone(&disturbed));
        stuck = !reaches(torn, patience, &[(&total, acquisitions), (&disturbed, DISTURBANCES)]);
        if stuck {
            // Its threads will not end, and so neither will this scope.
            eprintln!("{:?} after {} acquisitions", Flaw::Stuck, total.load(Relaxed));
            std::process::exit(101);
        }
        stop.store(true, Relaxed);
        churn.stop();
        quiet.wait();
        drainers.into_iter().map(|drainer| drainer.join().expect("draining does not panic")).sum::<u64>()
    });
    let found = drained + drain().unwrap_or(0);
    let counted = total.load(Relaxed) + BY_HANDLERS.load(Relaxed) - before;
    match () {
        () if torn.load(Relaxed) => Err(Flaw::Torn),
        () if counted != found => Err(Flaw::Lost { counted, found }),
        () => Ok(()),
    }
}

/// Takes what every copy holds; `None` where one was in the middle of a change.
fn drain() -> Option<u64> {
    let mut drained = 0;
    for cpu in possible_cpus() {
        let pair = std::mem::take(&mut *PAIR.lock_on(cpu).expect("Linux 5.10"));
        if pair.0 != pair.1 {
            return None;
        }
        drained += pair.0;
    }
    Some(drained)
}

/// Waits until all counts are reached or a flaw seen; false where the first does not move.
fn reaches(torn: &AtomicBool, patience: u32, counts: &[(&AtomicU64, u64)]) -> bool {
    let (mut last, mut idle) = (0, 0);
    loop {
        if torn.load(Relaxed) || counts.iter().all(|(count, wanted)| count.load(Relaxed) >= *wanted) {
            return true;
        }
        let now = counts[0].0.load(Relaxed);
        idle = if now == last { idle + 1 } else { 0 };
        if idle == patience {
            return false;
        }
        last = now;
        thread::sleep(Duration::from_millis(10));
    }
}
