//! `PerCpuCounter`: exact in the end, off by less than it says meanwhile, and never beyond its limit.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

use percpu_rt::{PerCpuCounter, PerCpuCounters, nr_cpu_ids};
use percpu_tests::churn::{Churn, SIGNAL};
use percpu_tests::random::Random;
use percpu_tests::{pin, tool};
use rustix::thread::gettid;

fn rounds() -> i64 {
    if tool::is_set(tool::SANITIZED) { 10_000 } else { 200_000 }
}

#[test]
fn alone_it_counts_as_a_number_does() {
    let mut counter = PerCpuCounter::try_new(10).expect("memory");
    assert_eq!(counter.error_bound(), (32.max(2 * nr_cpu_ids()) * nr_cpu_ids()) as i64);
    let mut random = Random::printed();
    let mut expected = 10_i64;
    for _ in 0..10_000 {
        let amount = random.below(200) as i64 - 100;
        match random.below(3) {
            0 => counter.sub(-amount),
            1 => counter.add_batch(amount, 1 << 20),
            _ => counter.add(amount),
        }
        expected += amount;
        assert_eq!(counter.sum(), expected);
    }
    counter.set(-5);
    assert_eq!((counter.sum(), counter.sum_positive()), (-5, 0));
    counter.set(i64::MAX);
    counter.add(1);
    assert_eq!(counter.sum(), i64::MIN);
}

#[test]
fn beyond_every_number_is_beyond_the_limit() {
    let counter = PerCpuCounter::try_new(i64::MAX - 1).expect("memory");
    assert!(!counter.add_limited(10, i64::MAX) && counter.sum() == i64::MAX - 1);
    assert!(counter.add_limited(1, i64::MAX) && counter.sum() == i64::MAX);
}

#[test]
fn each_operation_adds_what_it_says() {
    let counter = PerCpuCounter::with_batch(0, 4).expect("memory");
    let mut expected = 0;
    for amount in [1, 3, 4, 5, -1, -4, -100, 1 << 40, 7, 0] {
        counter.add(amount);
        expected += amount;
        assert_eq!(counter.sum(), expected);
        counter.sub(amount / 2);
        expected -= amount / 2;
        assert_eq!(counter.sum(), expected);
        counter.inc();
        counter.inc();
        counter.dec();
        expected += 1;
        assert_eq!(counter.sum(), expected);
        assert!((counter.read() - expected).abs() < counter.error_bound());
    }
    assert_eq!(
        (counter.compare(expected), counter.compare(expected - 1), counter.compare(expected + 1)),
        (Equal, Greater, Less)
    );
    assert_eq!((counter.compare(i64::MIN), counter.compare(i64::MAX)), (Greater, Less));
}

#[test]
fn many_share_an_allocation_and_nothing_else() {
    let many = PerCpuCounters::<7>::try_new().expect("memory");
    thread::scope(|scope| {
        for index in 0..7 {
            let counter = many.get(index);
            scope.spawn(move || (0..1000).for_each(|_| counter.add(index as i64)));
        }
    });
    assert_eq!(
        [0, 1, 2, 3, 4, 5, 6].map(|index| many.get(index).sum()),
        [0, 1, 2, 3, 4, 5, 6].map(|index| 1000 * index)
    );
}

static TARGET: std::sync::OnceLock<PerCpuCounter> = std::sync::OnceLock::new();
static HANDLED: AtomicI64 = AtomicI64::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    if let Some(target) = TARGET.get() {
        target.add(5);
        HANDLED.fetch_add(5, Relaxed);
    }
}

/// Threads that only add, moved and interrupted; one that reads. What it reads lies between what was surely added before and
/// what may have been added behind, within the bound; threads in the middle of bringing a delta over count once more.
#[test]
fn it_is_exact_under_churn_and_reads_within_its_bound() {
    const THREADS: i64 = 4;
    let target = TARGET.get_or_init(|| PerCpuCounter::try_new(0).expect("memory"));
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: a handler that does per-CPU and atomic operations alone.
    unsafe { libc::signal(SIGNAL, handler as *const () as libc::sighandler_t) };
    let (stop, disturbed) = (AtomicBool::new(false), Arc::new(AtomicU64::new(0)));
    let (begun, done) = (AtomicI64::new(0), AtomicI64::new(0));
    let tids = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                tids.lock().expect("nobody panics").push(gettid());
                let mut random = Random::new(tids.lock().expect("nobody panics").len() as u64);
                while !stop.load(Relaxed) {
                    let amount = random.below(20) as i64;
                    begun.fetch_add(amount, Relaxed);
                    target.add(amount);
                    done.fetch_add(amount, Relaxed);
                }
            });
        }
        while tids.lock().expect("nobody panics").len() < THREADS as usize {
            thread::yield_now();
        }
        let churn = Churn::start(tids.lock().expect("nobody panics").clone(), 5, Arc::clone(&disturbed));
        let slack = target.error_bound() + (THREADS + 1) * (target.error_bound() / nr_cpu_ids() as i64);
        while disturbed.load(Relaxed) < 1000 || done.load(Relaxed) < rounds() {
            let before = done.load(Relaxed);
            let read = target.read();
            let after = begun.load(Relaxed) + HANDLED.load(Relaxed) + THREADS * 5;
            assert!((before - slack..=after + slack).contains(&read), "{before} {read} {after} {slack}");
        }
        churn.stop();
        stop.store(true, Relaxed);
    });
    assert_eq!(target.sum(), done.load(Relaxed) + HANDLED.load(Relaxed));
}

/// Far more threads want than there is, in both directions; what was granted is what there is.
#[test]
fn limits_hold() {
    for (limit, amount) in [(5000, 3), (-5000, -3)] {
        let counter = PerCpuCounter::try_new(0).expect("memory");
        let granted = AtomicI64::new(0);
        thread::scope(|scope| {
            for cpu in pin::allowed().into_iter().cycle().take(4) {
                let (counter, granted) = (&counter, &granted);
                scope.spawn(move || {
                    pin::pin(None, cpu).expect("an allowed CPU");
                    for _ in 0..3000 {
                        if counter.add_limited(amount, limit) {
                            granted.fetch_add(amount, Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(counter.sum(), granted.load(Relaxed));
        assert!(counter.sum().abs() <= 5000);
        // Alone, all of the rest is to be had.
        while counter.add_limited(amount, limit) {}
        assert_eq!(counter.sum().abs(), 4998);
        assert!(counter.add_limited(2 * amount.signum(), limit) && !counter.add_limited(amount.signum(), limit));
        assert!(counter.add_limited(-amount, -limit));
    }
}
