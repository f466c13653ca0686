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

use crate::stress::{delay_stores, watch};

const THREADS: usize = 8;

/// Acquisitions between two delays of stores.
const ROUND: u64 = 50;

/// Disturbances of a run at the least.
const DISTURBANCES: u64 = 2000;

/// Two numbers that are equal whenever nobody is in the middle of changing them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair(u64, u64);

#[per_cpu(shared_aligned)]
static PAIR: LocalLock<Pair> = LocalLock::new(Pair(0, 0));

/// Acquisitions by handlers, which only try.
static BY_HANDLERS: AtomicU64 = AtomicU64::new(0);

/// Whether a handler saw a pair in the middle of a change.
static TORN_IN_HANDLER: AtomicBool = AtomicBool::new(false);

/// What is wrong with a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Somebody saw a pair in the middle of a change.
    Torn,
    /// The numbers that were added do not add up.
    Lost { counted: u64, found: u64 },
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
            TORN_IN_HANDLER.store(true, Relaxed);
        }
        BY_HANDLERS.fetch_add(1, Relaxed);
    }
}

/// Which copies are claimed from other CPUs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claims {
    All,
    /// None, as the kernel refuses it.
    None,
}

/// Runs the load until `acquisitions` are done.
///
/// `patience` is the watchdog's, in hundredths of a second.
pub(crate) fn run(acquisitions: u64, patience: u32, claims: Claims) -> Result<(), Flaw> {
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: a handler that does nothing but per-CPU and atomic operations.
    unsafe { libc::signal(SIGNAL, handler as *const () as libc::sighandler_t) };
    let before = BY_HANDLERS.load(Relaxed);
    let total = Arc::new(AtomicU64::new(0));
    let (stop, torn) = (&AtomicBool::new(false), &AtomicBool::new(false));
    let tids = Mutex::new(Vec::new());
    let (started, quiet) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let drained = thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                tids.lock().expect("no thread panics with it").push(gettid());
                started.wait();
                while !stop.load(Relaxed) {
                    // Once what takes the copy is late to be seen, and once what frees it.
                    delay_stores();
                    for _ in 0..ROUND {
                        if !add_one(PAIR.lock()) {
                            torn.store(true, Relaxed);
                        }
                    }
                    let pair = PAIR.lock();
                    delay_stores();
                    if !add_one(pair) {
                        torn.store(true, Relaxed);
                    }
                    total.fetch_add(ROUND + 1, Relaxed);
                }
                // Until the disturber has stopped, as it signals live threads only.
                quiet.wait();
            });
        }
        // One on each CPU, so that claims come from the copy's own CPU and from others, and meet each other.
        let drainers = pin::allowed()
            .into_iter()
            .filter(|_| claims == Claims::All)
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
        watch(torn, patience, &[(&total, acquisitions), (&disturbed, DISTURBANCES)]);
        stop.store(true, Relaxed);
        churn.stop();
        quiet.wait();
        drainers.into_iter().map(|drainer| drainer.join().expect("draining does not panic")).sum::<u64>()
    });
    let found = drained + if claims == Claims::All { drain().unwrap_or(0) } else { drain_in_place() };
    let counted = total.load(Relaxed) + BY_HANDLERS.load(Relaxed) - before;
    match () {
        () if torn.load(Relaxed) || TORN_IN_HANDLER.load(Relaxed) => Err(Flaw::Torn),
        () if counted != found => Err(Flaw::Lost { counted, found }),
        () => Ok(()),
    }
}

/// Takes what every copy holds; `None` where one was in the middle of a change.
fn drain() -> Option<u64> {
    let mut drained = 0;
    for cpu in possible_cpus() {
        // The lines are here now, and the owner's stores to them late.
        delay_stores();
        let pair = std::mem::take(&mut *PAIR.lock_on(cpu).expect("Linux 5.10"));
        if pair.0 != pair.1 {
            return None;
        }
        drained += pair.0;
    }
    Some(drained)
}

/// Takes what the copy of each CPU holds on which this process may run, from that CPU.
fn drain_in_place() -> u64 {
    assert!(PAIR.lock_on(pin::allowed()[0]).is_err(), "claims are refused");
    pin::allowed().into_iter().map(|cpu| pin::on(cpu, || std::mem::take(&mut *PAIR.lock()).0)).sum()
}
