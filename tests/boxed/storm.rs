//! Everything at once: 35,000 live variables and raw objects, threads that are moved, interrupted, and over; drops on other CPUs,
//! forks, and handlers that allocate and free. No two have a byte in common, none is lost, and each keeps what it was filled with.

use std::alloc::Layout;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use percpu_rt::{
    AllocError, AllocFlags, FreeError, PerCpuBox, PerCpuPtr, alloc_percpu, free_percpu, possible_cpus, stats,
    try_free_percpu,
};
use percpu_tests::alone::alone;
use percpu_tests::churn::{Churn, SIGNAL};
use percpu_tests::random::Random;
use percpu_tests::tool;
use rustix::thread::gettid;

const THREADS: usize = 4;

/// Live objects, as many as Linux's own test has (lib/test_vmalloc.c, `pcpu_alloc_test`).
const LIVE: usize = 35_000;

/// Objects that change hands.
const EXCHANGED: usize = 1000;

/// Forks, and threads that do little and are over.
const FORKS: u64 = 20;

/// What each thread replaces, one object after the other.
fn rounds() -> usize {
    match () {
        () if tool::is_set(tool::SANITIZED) => 2_000,
        () if tool::is_set(tool::FULL) => 2_000_000,
        () if cfg!(debug_assertions) => 20_000,
        () => 200_000,
    }
}

trait Object: Send {
    /// Whether it has on every CPU what it was filled with.
    fn is(&self, tag: u64) -> bool;
}

impl<const WORDS: usize> Object for PerCpuBox<[u64; WORDS]> {
    fn is(&self, tag: u64) -> bool {
        self.iter().all(|(_, copy)| *copy == [tag; WORDS])
    }
}

struct Raw {
    pointer: PerCpuPtr<u8>,
    size: usize,
}

impl Raw {
    /// Sizes and alignments as Linux's test has them.
    fn new(random: &mut Random, tag: u64) -> Self {
        let (size, align) = (1 + random.below(1024), 2 << random.below(11));
        let flags = [AllocFlags::NONE, AllocFlags::NONE, AllocFlags::RESERVED][random.below(3)];
        let layout = Layout::from_size_align(size, align).expect("a layout");
        let raw = Self { pointer: alloc_percpu(layout, flags).expect("memory"), size };
        raw.copies().for_each(|copy| {
            assert!(copy.iter().all(|byte| *byte == 0), "an object that is not zero");
            copy.fill(Self::byte(tag));
        });
        raw
    }

    fn byte(tag: u64) -> u8 {
        (tag >> 8) as u8 | 1
    }

    fn copies(&self) -> impl Iterator<Item = &mut [u8]> {
        // SAFETY: allocated with this size, and reached by whoever has the object alone, one copy after the other.
        possible_cpus().map(|cpu| unsafe { std::slice::from_raw_parts_mut(self.pointer.per_cpu_ptr(cpu), self.size) })
    }
}

impl Object for Raw {
    fn is(&self, tag: u64) -> bool {
        self.copies().all(|copy| copy.iter().all(|byte| *byte == Self::byte(tag)))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: allocated by `new`, and its owner is at its end.
        unsafe { free_percpu(self.pointer) };
    }
}

type Tagged = (u64, Box<dyn Object>);

fn make(random: &mut Random, tag: u64) -> Tagged {
    fn boxed<const WORDS: usize>(tag: u64) -> Box<dyn Object> {
        Box::new(PerCpuBox::try_new([tag; WORDS]).expect("memory"))
    }
    let makers: [fn(u64) -> Box<dyn Object>; 5] = [boxed::<1>, boxed::<3>, boxed::<8>, boxed::<9>, boxed::<64>];
    let object = match random.below(6) {
        5 => Box::new(Raw::new(random, tag)),
        kind => makers[kind](tag),
    };
    (tag, object)
}

fn check((tag, object): &Tagged) {
    assert!(object.is(*tag), "object {tag:#x} has something else");
}

/// What came of the handlers' calls.
static SERVED: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    let object = match alloc_percpu(Layout::new::<[u64; 3]>(), AllocFlags::ATOMIC) {
        Ok(object) => object.cast::<[u64; 3]>(),
        Err(error) => {
            let is_expected = matches!(error, AllocError::Busy | AllocError::AtomicExhausted { .. });
            WRONG.fetch_add(u64::from(!is_expected), Relaxed);
            return;
        }
    };
    for cpu in possible_cpus() {
        // SAFETY: allocated above for three words, and known to this handler alone.
        let found = unsafe { object.per_cpu_ptr(cpu).replace([u64::MAX; 3]) };
        WRONG.fetch_add(u64::from(found != [0; 3]), Relaxed);
    }
    // SAFETY: allocated above, and not used any more.
    let freed: Result<(), FreeError> = unsafe { try_free_percpu(object.cast()) };
    WRONG.fetch_add(u64::from(freed.is_err()), Relaxed);
    SERVED.fetch_add(1, Relaxed);
}

/// Replaces one object after the other, and gives every eighth to whoever takes it.
fn work(number: u64, mut random: Random, exchange: &Mutex<Vec<Tagged>>) -> Vec<Tagged> {
    let mut tags = (1..).map(|tag| tag << 8 | number);
    let mut tag = || tags.next().expect("they have no end");
    let mut own: Vec<_> = (0..(LIVE - EXCHANGED) / THREADS).map(|_| make(&mut random, tag())).collect();
    for _ in 0..rounds() {
        let place = random.below(own.len());
        check(&own[place]);
        // The old one is dropped before the new one is made half of the time, so that places go around.
        if random.below(8) == 0 {
            let mut exchange = exchange.lock().expect("nobody panics");
            let other = random.below(exchange.len());
            std::mem::swap(&mut own[place], &mut exchange[other]);
        } else if random.below(2) == 0 {
            drop(own.swap_remove(place));
            own.push(make(&mut random, tag()));
        } else {
            own[place] = make(&mut random, tag());
        }
    }
    own
}

/// A child finds what its parent had, and goes on allocating. No heap: other threads may have been in the middle of it.
fn fork(inherited: &PerCpuBox<[u64; 4]>, tag: u64) {
    // SAFETY: the child calls what a handler may call, and ends.
    match unsafe { libc::fork() } {
        0 => {
            let is_well = (0..100).all(|own| PerCpuBox::try_new([own; 3]).is_ok_and(|boxed| boxed.is(own)));
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!(is_well && inherited.is(tag)))) }
        }
        child => {
            assert!(child > 0, "no fork");
            let mut status = -1;
            // SAFETY: waits for the child.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!(status, 0, "the child's status");
        }
    }
}

#[test]
fn thirty_five_thousand_objects_keep_what_they_have() {
    if !alone("storm::thirty_five_thousand_objects_keep_what_they_have") {
        return;
    }
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: a handler that calls the allocator, which is what is tested.
    unsafe { libc::signal(SIGNAL, handler as *const () as libc::sighandler_t) };
    let before = stats();
    let mut random = Random::printed();
    let exchange = Mutex::new((0..EXCHANGED as u64).map(|tag| make(&mut random, tag << 8 | 0xff)).collect::<Vec<_>>());
    let (tids, started, quiet) = (Mutex::new(Vec::new()), Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let disturbed = Arc::new(AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..THREADS as u64 {
            let random = Random::new(random.bits());
            let (tids, started, quiet, exchange) = (&tids, &started, &quiet, &exchange);
            scope.spawn(move || {
                tids.lock().expect("nobody panics").push(gettid());
                started.wait();
                let own = work(number, random, exchange);
                own.iter().for_each(check);
                quiet.wait();
            });
        }
        started.wait();
        let churn = Churn::start(tids.lock().expect("nobody panics").clone(), random.bits(), Arc::clone(&disturbed));
        for round in 0..FORKS {
            let inherited = PerCpuBox::try_new([round; 4]).expect("memory");
            fork(&inherited, round);
            // A thread that ends with what it has made in others' hands.
            let mut random = Random::new(random.bits());
            let exchange = &exchange;
            let ended = scope.spawn(move || {
                for tag in 0..100 {
                    let mut made = make(&mut random, tag << 8 | 0xfe);
                    let mut exchange = exchange.lock().expect("nobody panics");
                    let other = random.below(exchange.len());
                    std::mem::swap(&mut made, &mut exchange[other]);
                    drop(exchange);
                    check(&made);
                }
            });
            ended.join().expect("no panic");
            let _ = stats();
        }
        // All stocks are emptied while they are in use.
        let enough = || disturbed.load(Relaxed) > 1000 && SERVED.load(Relaxed) > 100;
        while !enough() {
            let _ = stats();
        }
        churn.stop();
        quiet.wait();
    });
    exchange.into_inner().expect("nobody panics").iter().for_each(check);
    println!("{disturbed:?} disturbances, {SERVED:?} handlers served");
    assert_eq!(WRONG.load(Relaxed), 0, "in handlers");
    let after = stats();
    assert_eq!((after.nr_cur_alloc, after.live_bytes), (before.nr_cur_alloc, before.live_bytes), "none is lost");
}
