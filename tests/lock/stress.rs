//! What makes a missing barrier show, and the watchdog.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// A number alone on its cache line.
#[repr(align(64))]
struct Line(AtomicU64);

/// Lines that all CPUs store to.
static FOUGHT_OVER: [Line; 48] = [const { Line(AtomicU64::new(0)) }; 48];

/// Fills the CPU's store buffer, so that it is long before others see the stores that come next, where another CPU
/// has done the same since.
pub(crate) fn delay_stores() {
    for line in &FOUGHT_OVER {
        line.0.store(1, Relaxed);
    }
}

/// Waits until all counts are reached or a flaw is seen. Ends the process where the first does not move for as long as
/// `patience`, in hundredths of a second.
pub(crate) fn watch(flaw: &AtomicBool, patience: u32, counts: &[(&AtomicU64, u64)]) {
    let (mut last, mut idle) = (0, 0);
    while !flaw.load(Relaxed) && counts.iter().any(|(count, wanted)| count.load(Relaxed) < *wanted) {
        let now = counts[0].0.load(Relaxed);
        idle = if now == last { idle + 1 } else { 0 };
        if idle == patience {
            // Its threads will not end, and so neither would the scope they are in.
            eprintln!("Stuck at {now}");
            std::process::exit(101);
        }
        last = now;
        thread::sleep(Duration::from_millis(10));
    }
}
