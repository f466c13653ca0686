//! Time in the finest steps that the machine has, and what times are compared with.

use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A moment, in ticks.
#[cfg(target_arch = "x86_64")]
#[must_use]
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: every x86-64 has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// A moment, in ticks.
#[cfg(not(target_arch = "x86_64"))]
#[must_use]
#[inline(always)]
pub fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Nanoseconds of a tick.
#[must_use]
pub fn tick_ns() -> f64 {
    static TICK: OnceLock<f64> = OnceLock::new();
    *TICK.get_or_init(|| {
        let (start, ticks) = (Instant::now(), now());
        while start.elapsed() < Duration::from_millis(50) {}
        start.elapsed().as_nanos() as f64 / (now() - ticks) as f64
    })
}

/// Nanoseconds of an uncontended `lock xadd`.
#[must_use]
pub fn lock_ns() -> f64 {
    let word = AtomicU64::new(0);
    let measure = || {
        let start = now();
        for _ in 0..100_000 {
            black_box(word.fetch_add(1, Relaxed));
        }
        (now() - start) as f64 / 100_000.0
    };
    let mut ticks: Vec<f64> = (0..15).map(|_| measure()).collect();
    ticks.sort_by(f64::total_cmp);
    ticks[7] * tick_ns()
}
