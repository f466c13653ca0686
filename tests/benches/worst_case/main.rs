//! What does the slowest of a thousand allocations and frees cost, next to `lock xadd`, where Linux's allocator is slow?
//!
//! Fairness: each operation is timed alone, with whatever it gives back to the platform. Of the passes over one pattern, all alike,
//! each operation's shortest time counts: the rest is the machine's. Pages are there already, so that populating
//! them costs a call. Every new object is written to on one CPU, unless it is only to fill.

#[path = "../../../percpu-rt/benches/harness/mod.rs"]
mod harness;
mod patterns;

use std::process::ExitCode;

use harness::{Session, machine, median_and_min};
use patterns::{Op, Pattern};
use percpu_rt::chunk::{AllocFlags, Allocator, Memory as _, SpinLock};
use percpu_tests::clock;
use percpu_tests::units::{Pages, Units};

const PAGE: usize = 4096;
const CPUS: usize = 4;

/// Of a thousand operations, all but one take no longer than this many times `lock xadd`.
const BAR: f64 = 200.0;

/// Passes over a pattern.
const PASSES: usize = 7;

/// The shortest times of the timed operations, in ticks.
struct Least {
    alloc: Vec<u64>,
    free: Vec<u64>,
}

/// What can be asked of one pass.
struct Pass<'a> {
    allocator: Allocator<&'a Units, SpinLock>,
    offsets: Vec<Option<usize>>,
}

impl<'a> Pass<'a> {
    fn new(units: &'a Units, pattern: &Pattern) -> Self {
        units.restart();
        let allocator = Allocator::new(units, SpinLock::new(), PAGE);
        if pattern.chunk.is_none() {
            // SAFETY: the units are this pass's alone.
            unsafe { allocator.add_range(0..pattern.bytes) }.expect("records");
        }
        Self { allocator, offsets: vec![None; pattern.objects] }
    }

    /// Does one operation; its ticks.
    #[inline(always)]
    fn run(&mut self, op: Op) -> u64 {
        let start = clock::now();
        match op {
            Op::Alloc { object, size, align, refused } => {
                let offset = self.allocator.alloc(size, align, AllocFlags::NONE);
                let ticks = clock::now() - start;
                assert_eq!(offset.is_err(), refused, "{size} bytes at {align}: {offset:?}");
                self.offsets[object] = offset.ok();
                ticks
            }
            Op::Free { object } => {
                self.allocator.free(self.offsets[object].expect("a live object")).expect("a live object");
                self.allocator.balance();
                clock::now() - start
            }
        }
    }

    /// Writes to a new object on the first CPU.
    fn dirty(&self, op: Op) {
        if let Op::Alloc { object, size, refused: false, .. } = op {
            let offset = self.offsets[object].expect("just allocated");
            for at in (0..size).step_by(64) {
                // SAFETY: a live object, and this bench is all there is of its users.
                unsafe { self.allocator.memory().copy(0, offset + at).write_volatile(1) };
            }
        }
    }
}

fn measure(pattern: &Pattern, passes: usize) -> Least {
    let mut units = Units::new(CPUS, pattern.bytes, PAGE, Pages::Counted);
    if let Some(chunk) = pattern.chunk {
        units = units.in_chunks(chunk);
    }
    let mut least = vec![u64::MAX; pattern.timed.len()];
    for _ in 0..passes {
        let mut pass = Pass::new(&units, pattern);
        for op in &pattern.filling {
            pass.run(*op);
        }
        for (op, least) in pattern.timed.iter().zip(&mut least) {
            *least = pass.run(*op).min(*least);
            pass.dirty(*op);
        }
    }
    let of = |alloc: bool| {
        let each = pattern.timed.iter().zip(&least);
        let mut each: Vec<_> =
            each.filter(|(op, _)| matches!(op, Op::Alloc { .. }) == alloc).map(|(_, ticks)| *ticks).collect();
        each.sort_unstable();
        each
    };
    Least { alloc: of(true), free: of(false) }
}

/// The ticks that the clock itself takes.
fn clock_ticks() -> u64 {
    (0..10_000)
        .map(|_| {
            let start = clock::now();
            clock::now() - start
        })
        .min()
        .unwrap_or(0)
}

/// Nanoseconds of a fresh allocation of 64 bytes, for `cpus` CPUs.
fn fresh(cpus: usize, count: usize) -> f64 {
    let units = Units::new(cpus, 4 << 20, PAGE, Pages::Counted);
    let allocator = Allocator::new(&units, SpinLock::new(), PAGE);
    // SAFETY: the units are this function's.
    unsafe { allocator.add_range(0..4 << 20) }.expect("records");
    let start = clock::now();
    for _ in 0..count {
        allocator.alloc(64, 8, AllocFlags::NONE).expect("room");
    }
    (clock::now() - start) as f64 * clock::tick_ns() / count as f64
}

fn growth(session: &mut Session) {
    const TITLE: &str = "a fresh allocation of 64 bytes";
    if !session.selects(TITLE) {
        return;
    }
    let (rounds, count) = if session.is_smoke() { (1, 10) } else { (101, 20_000) };
    let mut figures = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (figures, cpus) in figures.iter_mut().zip([4, 512]) {
            figures.push(fresh(cpus, count));
        }
    }
    let [few, many] = figures.map(median_and_min);
    if session.is_smoke() {
        return println!("{TITLE}: runs; `cargo bench` measures it");
    }
    println!("\n{TITLE}: {:.1} ns with 4 CPUs, {:.1} ns with 512 (least {:.1}, {:.1})", few.0, many.0, few.1, many.1);
    session.at_most(&format!("{TITLE}, 512 CPUs: times 4 CPUs"), many.0 / few.0, 1.3);
}

fn main() -> ExitCode {
    let mut session = Session::start();
    machine::pin(machine::home());
    let smoke = session.is_smoke();
    let clock = clock_ticks();
    for pattern in patterns::all(if smoke { 64 } else { 1 }) {
        if !session.selects(pattern.title) {
            continue;
        }
        let before = clock::lock_ns();
        let least = measure(&pattern, if smoke { 1 } else { PASSES });
        let lock_ns = before.min(clock::lock_ns());
        if smoke {
            println!("{}: runs; `cargo bench` measures it", pattern.title);
            continue;
        }
        println!("\n{}: × lock xadd ({lock_ns:.1} ns)", pattern.title);
        for (kind, each) in [("alloc", &least.alloc), ("free", &least.free)] {
            let Some(last) = each.len().checked_sub(1) else { continue };
            let at = |part: f64| {
                let ticks = each[((each.len() as f64 * part) as usize).min(last)].saturating_sub(clock);
                ticks as f64 * clock::tick_ns() / lock_ns
            };
            println!(
                "  {kind:6} p50 {:7.1}  p99 {:7.1}  p99.9 {:7.1}  max {:7.1}   of {}",
                at(0.5),
                at(0.99),
                at(0.999),
                at(1.0),
                each.len()
            );
            session.at_most(&format!("{}, {kind}: times lock xadd, p99.9", pattern.title), at(0.999), BAR);
        }
    }
    growth(&mut session);
    session.finish()
}
