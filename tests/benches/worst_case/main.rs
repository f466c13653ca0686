//! What does the slowest of a thousand allocations and frees cost, next to `lock xadd`, where Linux's allocator is slow?
//!
//! Fairness: each operation is timed alone, with whatever it gives back to the platform. Of the passes over one pattern, all alike,
//! each operation's shortest time counts: the rest is the machine's. Pages are there already, so that populating
//! them costs a call. The bars are for an allocator with a CPU's stock before it, as the replay has it; by itself it is what a
//! program meets whose stock is empty. Every new object is written to on one CPU, unless it is only to fill.

#[path = "../../../percpu-rt/benches/harness/mod.rs"]
mod harness;
mod patterns;

use std::process::ExitCode;

use harness::{Session, machine, median_and_min};
use patterns::{Op, Pattern};
use percpu_rt::chunk::{AllocFlags, Allocator, Cache, Memory as _, SpinLock};
use percpu_tests::clock;
use percpu_tests::units::{Pages, Units};

const PAGE: usize = 4096;
const CPUS: usize = 4;

/// Of a thousand operations, all but one take no longer than this many times `lock xadd`.
const BAR: f64 = 200.0;

/// Passes over a pattern: what the slowest of a thousand operations takes is the machine's in most of them.
const PASSES: usize = 31;

/// The shortest times of the timed operations, in ticks.
struct Least {
    alloc: Vec<u64>,
    free: Vec<u64>,
}

/// What is timed.
trait Subject {
    fn alloc(&mut self, size: usize, align: usize) -> Option<usize>;
    fn free(&mut self, offset: usize, size: usize);
}

/// The allocator by itself, as where a stock is empty.
struct Alone<'a>(&'a Allocator<&'a Units, SpinLock>);

impl Subject for Alone<'_> {
    #[inline(always)]
    fn alloc(&mut self, size: usize, align: usize) -> Option<usize> {
        self.0.alloc(size, align, AllocFlags::NONE).ok()
    }

    #[inline(always)]
    fn free(&mut self, offset: usize, _: usize) {
        self.0.free(offset).expect("a live object");
        self.0.balance();
    }
}

/// With one CPU's stock before it.
struct Stocked<'a>(Cache<'a, &'a Units, SpinLock>);

impl Subject for Stocked<'_> {
    #[inline(always)]
    fn alloc(&mut self, size: usize, align: usize) -> Option<usize> {
        self.0.alloc(size, align, AllocFlags::NONE).ok()
    }

    #[inline(always)]
    fn free(&mut self, offset: usize, size: usize) {
        // SAFETY: patterns free what they have allocated, once.
        unsafe { self.0.free(offset, size) }.expect("a live object");
    }
}

/// The objects of one pass.
struct Pass<S> {
    subject: S,
    /// Where each object lies, and its size.
    objects: Vec<Option<(usize, usize)>>,
}

impl<S: Subject> Pass<S> {
    /// Does one operation; its ticks.
    #[inline(always)]
    fn run(&mut self, op: Op) -> u64 {
        match op {
            Op::Alloc { object, size, align, refused } => {
                let start = clock::now();
                let offset = self.subject.alloc(size, align);
                let ticks = clock::now() - start;
                assert_eq!(offset.is_none(), refused, "{size} bytes at {align}: {offset:?}");
                self.objects[object] = offset.map(|offset| (offset, size));
                ticks
            }
            Op::Free { object } => {
                let (offset, size) = self.objects[object].expect("a live object");
                let start = clock::now();
                self.subject.free(offset, size);
                clock::now() - start
            }
        }
    }

    /// All operations of a pattern.
    fn run_all(&mut self, pattern: &Pattern, units: &Units, least: &mut [u64]) {
        for op in &pattern.filling {
            self.run(*op);
        }
        for (op, least) in pattern.timed.iter().zip(least) {
            *least = self.run(*op).min(*least);
            let Op::Alloc { object, refused: false, .. } = *op else { continue };
            let (offset, size) = self.objects[object].expect("just allocated");
            for at in (0..size).step_by(64) {
                // SAFETY: a live object, and this bench is all there is of its users.
                unsafe { units.copy(0, offset + at).write_volatile(1) };
            }
        }
    }
}

fn measure(pattern: &Pattern, passes: usize, stocked: bool) -> Least {
    let mut units = Units::new(CPUS, pattern.bytes, PAGE, Pages::Counted);
    if let Some(chunk) = pattern.chunk {
        units = units.in_chunks(chunk);
    }
    let mut least = vec![u64::MAX; pattern.timed.len()];
    for _ in 0..passes {
        units.restart();
        let allocator = Allocator::new(&units, SpinLock::new(), PAGE);
        if pattern.chunk.is_none() {
            // SAFETY: the units are this pass's alone.
            unsafe { allocator.add_range(0..pattern.bytes) }.expect("records");
        }
        let objects = vec![None; pattern.objects];
        if stocked {
            let subject = Stocked(Cache::new(&allocator));
            Pass { subject, objects }.run_all(pattern, &units, &mut least);
        } else {
            Pass { subject: Alone(&allocator), objects }.run_all(pattern, &units, &mut least);
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
        if smoke {
            measure(&pattern, 1, true);
            println!("{}: runs; `cargo bench` measures it", pattern.title);
            continue;
        }
        let before = clock::lock_ns();
        let [alone, stocked] = [false, true].map(|stocked| measure(&pattern, PASSES, stocked));
        let lock_ns = before.min(clock::lock_ns());
        println!("\n{}: × lock xadd ({lock_ns:.1} ns)", pattern.title);
        let figures = [("alone, alloc", &alone.alloc), ("alone, free", &alone.free)];
        let judged = [("alloc", &stocked.alloc), ("free", &stocked.free)];
        for (kind, each) in figures.into_iter().chain(judged) {
            let Some(last) = each.len().checked_sub(1) else { continue };
            let at = |part: f64| {
                let ticks = each[((each.len() as f64 * part) as usize).min(last)].saturating_sub(clock);
                ticks as f64 * clock::tick_ns() / lock_ns
            };
            println!(
                "  {kind:13} p50 {:7.1}  p99 {:7.1}  p99.9 {:7.1}  max {:7.1}   of {}",
                at(0.5),
                at(0.99),
                at(0.999),
                at(1.0),
                each.len()
            );
            if judged.iter().any(|(judged, _)| *judged == kind) {
                session.at_most(&format!("{}, {kind}: times lock xadd, p99.9", pattern.title), at(0.999), BAR);
            }
        }
    }
    growth(&mut session);
    session.finish()
}
