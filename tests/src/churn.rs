//! A disturber of threads: moves them from CPU to CPU and interrupts them by signals.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::getpid;
use rustix::thread::{Pid, set_current_timer_slack};

use crate::pin;
use crate::random::Random;

/// Between two disturbances. A pace, not a promise: what waits for disturbances counts them.
const PACE: Duration = Duration::from_micros(20);

/// The signal that interrupts.
pub const SIGNAL: libc::c_int = libc::SIGUSR1;

/// A running disturber.
#[derive(Debug)]
pub struct Churn {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Churn {
    /// Starts to disturb these threads of this process, which must not end before [`stop`](Self::stop), and to count it
    /// in `done`. [`SIGNAL`] has a handler by now.
    ///
    /// # Panics
    ///
    /// Where no thread can be made.
    #[must_use]
    pub fn start(threads: Vec<Pid>, seed: u64, done: Arc<AtomicU64>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut random = Random::new(seed);
            let cpus = pin::allowed();
            run_at_once();
            while !stopped.load(Ordering::Relaxed) {
                let victim = threads[random.below(threads.len())];
                if random.below(2) == 0 {
                    interrupt(victim);
                } else {
                    pin::pin(Some(victim), cpus[random.below(cpus.len())]).expect("a live thread of this process");
                }
                done.fetch_add(1, Ordering::Relaxed);
                thread::sleep(PACE);
            }
        });
        Self { stop, thread }
    }

    /// Ends it: when this returns, no thread is disturbed any more.
    ///
    /// # Panics
    ///
    /// Where the disturber did.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the disturber only sleeps and disturbs");
    }
}

/// Lets the calling thread run as soon as its pause is over, although all CPUs are busy. As far as the kernel grants
/// it: what waits for disturbances then only waits longer.
fn run_at_once() {
    // The kernel would add 50 µs to each pause.
    let _ = set_current_timer_slack(NonZeroU64::new(1));
    let priority = libc::sched_param { sched_priority: 1 };
    // SAFETY: the calling thread and a filled parameter.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) } != 0 {
        // Needs no privilege: a thread that asks for a short slice goes first (Linux 6.12).
        // SAFETY: plain data, for which all zero is valid.
        let mut short: libc::sched_attr = unsafe { std::mem::zeroed() };
        short.size = size_of_val(&short) as u32;
        short.sched_runtime = 100_000;
        // SAFETY: the calling thread, a filled parameter, no flags.
        unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const short, 0) };
    }
}

/// Sends [`SIGNAL`] to a thread of this process.
fn interrupt(thread: Pid) {
    let process = getpid().as_raw_nonzero().get();
    // SAFETY: two numbers and a signal that has a handler; the thread lives until the disturber has stopped.
    unsafe { libc::syscall(libc::SYS_tgkill, process, thread.as_raw_nonzero().get(), SIGNAL) };
}
