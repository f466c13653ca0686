//! One variant, for some hundred microseconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use percpu_rt::CpuId;

use super::machine;

/// How long a block runs: long against the clock's own cost, short against a time slice.
const LENGTH: Duration = Duration::from_micros(400);

/// Repeats an operation as often as it is told to.
pub(super) type Repeat = fn(u64);

/// An operation, repeated.
pub(super) struct Block {
    pub(super) repeat: Repeat,
    /// Where a second thread does the same all the while.
    pub(super) rival: Option<CpuId>,
}

impl Block {
    /// How many repetitions fill a block. Runs the operation until it does, which also warms it up.
    pub(super) fn calibrate(&self) -> u64 {
        let mut repetitions = 16;
        loop {
            let taken = self.time(repetitions);
            if taken >= LENGTH / 2 {
                return (repetitions as f64 * LENGTH.as_secs_f64() / taken.as_secs_f64()).ceil() as u64;
            }
            repetitions *= 2;
        }
    }

    /// The time that this many repetitions take. A second thread is at work before the clock starts.
    pub(super) fn time(&self, repetitions: u64) -> Duration {
        let Some(rival) = self.rival else { return self.time_alone(repetitions) };
        let (running, done) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                machine::pin(rival);
                while !done.load(Ordering::Relaxed) {
                    (self.repeat)(64);
                    running.store(true, Ordering::Relaxed);
                }
            });
            while !running.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            let taken = self.time_alone(repetitions);
            done.store(true, Ordering::Relaxed);
            taken
        })
    }

    fn time_alone(&self, repetitions: u64) -> Duration {
        let start = Instant::now();
        (self.repeat)(repetitions);
        start.elapsed()
    }
}
