//! The load: eight threads do one operation over and over, and so do their signal handlers, while a disturber moves and
//! interrupts them every 20 µs.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Barrier, LazyLock, Mutex, Once, PoisonError};
use std::thread;

use percpu_tests::churn::{Churn, SIGNAL};
use percpu_tests::random::Random;
use percpu_tests::tool::{FULL, SANITIZED, is_set};
use rustix::thread::gettid;

use crate::modes::{self, SHORT};

pub(crate) const THREADS: usize = 8;

/// A thread's own share of the load, or its handler's: nobody else touches it.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// Less than [`LANES`], and no other lane's.
    pub(crate) id: usize,
    /// Operations done.
    done: AtomicU64,
    /// What the operation keeps from one time to the next.
    pub(crate) state: AtomicU64,
}

/// Operations between two looks at whether it is enough.
const CHUNK: u64 = 100;

pub(crate) const LANES: usize = 2 * THREADS;

impl Lane {
    /// Operations that this lane has begun, so a number that is new each time.
    pub(crate) fn turn(&self) -> u64 {
        self.done.load(Relaxed)
    }

    fn run(&self, operation: fn(&Lane)) {
        operation(self);
        self.done.store(self.turn() + 1, Relaxed);
    }
}

/// What a run was.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Operations, those of handlers included.
    pub(crate) operations: u64,
    /// The lanes as they were at the end.
    pub(crate) lanes: Vec<Lane>,
}

/// The operation and the handler's lane.
type Interrupted = (fn(&Lane), *const Lane);

thread_local! {
    /// What the handler does on this thread. Without a destructor and constant, so a signal handler may look.
    static INTERRUPTED: Cell<Option<Interrupted>> = const { Cell::new(None) };
}

/// Operations of a run at the least: with the tortures that do several at once more than 50 million in all.
static QUOTA: LazyLock<u64> = LazyLock::new(|| {
    let whole = 4_000_000;
    match () {
        () if is_set(SHORT) => whole / 1000,
        () if is_set(SANITIZED) => whole / 10,
        () if is_set(FULL) => whole * 20,
        () => whole,
    }
});

/// Disturbances of a run at the least.
fn disturbances() -> u64 {
    (*QUOTA / 2000).clamp(20, 10_000)
}

/// Operations of one lane at the most, and so the end of its turn numbers: reached where the disturber is not heard of.
pub(crate) fn limit() -> u64 {
    (*QUOTA).max(100_000) * 20 / THREADS as u64
}

/// Runs the load. One at a time, so that it is the same for each.
///
/// The operation must not panic, as the threads wait for each other: it writes down what it finds wrong.
pub(crate) fn run(operation: fn(&Lane)) -> Load {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    install_handler();

    // No handler comes before this has read the environment.
    LazyLock::force(&QUOTA);
    let seed = Random::printed().bits();
    let disturbed = Arc::new(AtomicU64::new(0));
    // Threads are there, threads have done their share, threads are left alone.
    let [ready, finished, released] = [(); 3].map(|()| Barrier::new(THREADS + 1));
    let tids = Mutex::new(Vec::new());
    let mut load = Load::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|index| {
                let (disturbed, ready, finished, released, tids) = (&disturbed, &ready, &finished, &released, &tids);
                scope.spawn(move || {
                    modes::prepare(index);
                    tids.lock().expect("no thread has panicked").push(gettid());
                    let [own, handlers] = [2 * index, 2 * index + 1].map(|id| Lane { id, ..Lane::default() });
                    INTERRUPTED.set(Some((operation, &raw const handlers)));
                    ready.wait();
                    let share = *QUOTA / THREADS as u64;
                    while own.turn() < share || disturbed.load(Relaxed) < disturbances() {
                        if own.turn() + CHUNK > limit() {
                            break;
                        }
                        if own.turn() >= share {
                            // What is still missing is the disturber's.
                            thread::yield_now();
                        }
                        for _ in 0..CHUNK {
                            own.run(operation);
                        }
                    }
                    INTERRUPTED.set(None);
                    finished.wait();
                    released.wait();
                    [own, handlers]
                })
            })
            .collect();
        ready.wait();
        let tids = tids.lock().expect("no thread has panicked").clone();
        let churn = Churn::start(tids, seed, Arc::clone(&disturbed));
        finished.wait();
        churn.stop();
        released.wait();
        for worker in workers {
            load.lanes.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    load.operations = load.lanes.iter().map(Lane::turn).sum();
    let by_handlers: u64 = load.lanes.iter().skip(1).step_by(2).map(Lane::turn).sum();
    let disturbed = disturbed.load(Relaxed);
    println!("{} operations, {by_handlers} of them by handlers; disturbed {disturbed} times", load.operations);
    assert!(disturbed >= disturbances() && by_handlers > 0, "the disturber does not get to run");
    load
}

/// Makes [`SIGNAL`] do on a thread what the thread does.
fn install_handler() {
    extern "C" fn handler(_: libc::c_int) {
        if let Some((operation, lane)) = INTERRUPTED.get() {
            // SAFETY: set by this very thread for as long as its lane lives, and the signal is blocked in here, so
            // that no other run of this function uses the lane.
            unsafe { &*lane }.run(operation);
        }
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: plain data, for which all zero is valid: no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        // SAFETY: a filled action and no place for the old one.
        let result = unsafe { libc::sigaction(SIGNAL, &raw const action, ptr::null_mut()) };
        assert_eq!(result, 0, "SIGUSR1 can be handled");
    });
}
