//! How long the operations of a trace take.
//!
//! Between two events the thread writes to the first CPU's copy of each new object, a line at a time, so that recycled
//! memory has to be zeroed there as it has in a program. What the platform does to pages is taken off: it is
//! counted, and not the allocator's. What the reading of the clock and the writing take is taken off by a pass with an
//! allocator that knows its answers beforehand.

use std::hint::black_box;

use percpu_rt::chunk::{AllocFlags, Cache, Memory as _, SpinLock};
use percpu_tests::clock;
use percpu_tests::units::{Pages, Units};

use crate::trace::{Event, Trace};
use crate::{flags, fresh};

/// Times of one kind of operation, in nanoseconds.
#[derive(Debug, Default, Clone, Copy, serde::Serialize)]
pub(crate) struct Times {
    pub(crate) avg: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// What is timed.
trait Subject {
    fn alloc(&mut self, object: u32, size: usize, align: usize, flags: AllocFlags) -> Option<usize>;
    fn free(&mut self, offset: usize, size: usize);
}

struct Real<'a>(Cache<'a, &'a Units, SpinLock>);

impl Subject for Real<'_> {
    #[inline(always)]
    fn alloc(&mut self, _: u32, size: usize, align: usize, flags: AllocFlags) -> Option<usize> {
        self.0.alloc(size, align, flags).ok()
    }

    #[inline(always)]
    fn free(&mut self, offset: usize, size: usize) {
        // SAFETY: the trace frees what it has allocated, once.
        unsafe { self.0.free(offset, size) }.expect("a live object");
    }
}

/// Answers as the real one has.
struct Empty<'a>(&'a [Option<usize>]);

impl Subject for Empty<'_> {
    #[inline(always)]
    fn alloc(&mut self, object: u32, size: usize, align: usize, _: AllocFlags) -> Option<usize> {
        black_box((size, align));
        self.0[object as usize]
    }

    #[inline(always)]
    fn free(&mut self, offset: usize, size: usize) {
        black_box((offset, size));
    }
}

/// Ticks of one pass: of runs of operations of one kind, between two readings of the clock.
#[derive(Default, Clone, Copy)]
struct Sums {
    alloc: u64,
    free: u64,
}

/// Uses a new object on the first CPU.
#[inline(always)]
fn write(units: &Units, offset: usize, size: usize) {
    for at in (0..size).step_by(64) {
        // SAFETY: the object that was just allocated; the replay is all there is of its users.
        unsafe { units.copy(0, offset + at).write_volatile(1) };
    }
}

/// A pass in which the clock is read where the kind of the operations changes.
fn run(trace: &Trace, units: &Units, offsets: &mut [Option<usize>], mut subject: impl Subject) -> Sums {
    let mut sums = Sums::default();
    let mut was_alloc = true;
    let mut start = clock::now();
    let mut pages = units.ticks_in_pages(clock::now);
    for event in &trace.events {
        let is_alloc = matches!(event, Event::Alloc { .. });
        if is_alloc != was_alloc {
            let (now, pages_now) = (clock::now(), units.ticks_in_pages(clock::now));
            let ticks = (now - start).saturating_sub(pages_now - pages);
            if was_alloc {
                sums.alloc += ticks
            } else {
                sums.free += ticks
            }
            (was_alloc, pages, start) = (is_alloc, pages_now, clock::now());
        }
        match *event {
            Event::Alloc { object, size, align, atomic } => {
                let offset = subject.alloc(object, size as usize, align as usize, flags(atomic));
                if let Some(offset) = offset {
                    write(units, offset, size as usize);
                }
                offsets[object as usize] = offset;
            }
            Event::Free { object, size } => {
                if let Some(offset) = offsets[object as usize] {
                    subject.free(offset, size as usize);
                }
            }
        }
    }
    let ticks = (clock::now() - start).saturating_sub(units.ticks_in_pages(clock::now) - pages);
    if was_alloc {
        sums.alloc += ticks
    } else {
        sums.free += ticks
    }
    sums
}

/// A pass in which each operation is timed; `least` keeps the shortest time of each.
fn run_each(trace: &Trace, units: &Units, offsets: &mut [Option<usize>], mut subject: impl Subject, least: &mut [u64]) {
    for (event, least) in trace.events.iter().zip(least) {
        let pages = units.ticks_in_pages(clock::now);
        let start = clock::now();
        let mut written = None;
        match *event {
            Event::Alloc { object, size, align, atomic } => {
                let offset = subject.alloc(object, size as usize, align as usize, flags(atomic));
                offsets[object as usize] = black_box(offset);
                written = offset.map(|offset| (offset, size as usize));
            }
            Event::Free { object, size } => {
                if let Some(offset) = offsets[object as usize] {
                    subject.free(offset, size as usize);
                }
            }
        }
        let ticks = clock::now() - start;
        *least = (*least).min(ticks.saturating_sub(units.ticks_in_pages(clock::now) - pages));
        if let Some((offset, size)) = written {
            write(units, offset, size);
        }
    }
}

/// The times of allocations and of frees.
pub(crate) fn of(trace: &Trace, units: &Units, passes: usize) -> [Times; 2] {
    debug_assert_eq!(units.pages(), Pages::Zeroed);
    let mut offsets = vec![None; trace.objects];
    let mut sums = Vec::new();
    let mut least = [vec![u64::MAX; trace.events.len()], vec![u64::MAX; trace.events.len()]];
    for _ in 0..passes {
        units.clear();
        // SAFETY: the units are the replay's, and the allocator before is gone.
        let allocator = unsafe { fresh(units) };
        let of_real = run(trace, units, &mut offsets, Real(Cache::new(&allocator)));
        let answers = offsets.clone();
        let of_empty = run(trace, units, &mut offsets, Empty(&answers));
        sums.push([[of_real.alloc, of_real.free], [of_empty.alloc, of_empty.free]]);
        drop(allocator);
        units.clear();
        // SAFETY: as above.
        let allocator = unsafe { fresh(units) };
        run_each(trace, units, &mut offsets, Real(Cache::new(&allocator)), &mut least[0]);
        run_each(trace, units, &mut offsets, Empty(&answers), &mut least[1]);
    }
    let [least, of_clock] = least;
    let clock_ticks = of_clock.into_iter().min().unwrap_or(0);
    [0, 1].map(|kind| {
        let is_kind = |event: &Event| matches!(event, Event::Alloc { .. }) == (kind == 0);
        let each = trace.events.iter().zip(&least).filter(|(event, _)| is_kind(event));
        let mut each: Vec<u64> = each.map(|(_, ticks)| ticks.saturating_sub(clock_ticks)).collect();
        each.sort_unstable();
        // As for each operation: the pass that was disturbed least.
        let least = |subject: usize| sums.iter().map(|sums| sums[subject][kind]).min().unwrap_or(0);
        let sum = least(0).saturating_sub(least(1));
        let at = |part: f64| each.get((each.len() as f64 * part) as usize).or(each.last()).copied().unwrap_or(0);
        let ns = |ticks: u64| ticks as f64 * clock::tick_ns();
        Times { avg: ns(sum) / each.len().max(1) as f64, p50: ns(at(0.5)), p99: ns(at(0.99)), max: ns(at(1.0)) }
    })
}
