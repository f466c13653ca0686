//! Boxes that threads share, hand over and drop elsewhere.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use percpu_rt::{PerCpuBox, possible_cpus};
use percpu_tests::churn::{Churn, SIGNAL};
use percpu_tests::random::Random;
use percpu_tests::{pin, tool};
use rustix::thread::gettid;

fn rounds() -> u64 {
    if tool::is_set(tool::SANITIZED) { 20_000 } else { 400_000 }
}

/// Increments of handlers, of the same variable.
static HANDLED: AtomicU64 = AtomicU64::new(0);
static TARGET: std::sync::OnceLock<PerCpuBox<u64>> = std::sync::OnceLock::new();

extern "C" fn on_signal(_: libc::c_int) {
    if let Some(target) = TARGET.get() {
        target.inc();
        HANDLED.fetch_add(1, Relaxed);
    }
}

#[test]
fn increments_are_exact_under_churn_and_signals() {
    let target = TARGET.get_or_init(|| PerCpuBox::try_new(0).expect("memory"));
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: a handler that does per-CPU and atomic operations alone.
    unsafe { libc::signal(SIGNAL, handler as *const () as libc::sighandler_t) };
    let tids = Mutex::new(Vec::new());
    let threads = 4;
    let (started, quiet) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
    let disturbed = Arc::new(AtomicU64::new(0));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    tids.lock().expect("nobody panics").push(gettid());
                    started.wait();
                    let mut done = 0;
                    while done < rounds() || disturbed.load(Relaxed) < 1000 {
                        target.inc();
                        done += 1;
                    }
                    quiet.wait();
                    done
                })
            })
            .collect();
        started.wait();
        let churn = Churn::start(tids.lock().expect("nobody panics").clone(), 3, Arc::clone(&disturbed));
        while disturbed.load(Relaxed) < 1000 {
            thread::yield_now();
        }
        churn.stop();
        quiet.wait();
        let done: u64 = workers.into_iter().map(|worker| worker.join().expect("no panic")).sum();
        assert_eq!(target.sum(), done + HANDLED.load(Relaxed));
    });
}

/// Each box is filled by one thread and checked and dropped by another, on another CPU where there is one.
#[test]
fn boxes_are_dropped_by_whoever_has_them() {
    let (send, receive) = sync_channel::<(u64, PerCpuBox<[u64; 5]>)>(64);
    let cpus = pin::allowed();
    thread::scope(|scope| {
        let (first, last) = (cpus[0], cpus[cpus.len() - 1]);
        scope.spawn(move || {
            pin::pin(None, first).expect("an allowed CPU");
            let mut random = Random::new(11);
            for tag in 0..rounds() / 40 {
                let boxed = PerCpuBox::try_new_with(|cpu| [tag * 1000 + cpu.index() as u64; 5]).expect("memory");
                assert!(send.send((tag, boxed)).is_ok());
                if random.below(4) == 0 {
                    drop(PerCpuBox::try_new(random.bits()).expect("memory"));
                }
            }
        });
        scope.spawn(move || {
            pin::pin(None, last).expect("an allowed CPU");
            let mut kept = Vec::new();
            for (tag, boxed) in receive {
                kept.push((tag, boxed));
                if kept.len() == 100 {
                    for (tag, boxed) in kept.drain(..) {
                        for (cpu, copy) in boxed.iter() {
                            assert_eq!(*copy, [tag * 1000 + cpu.index() as u64; 5]);
                        }
                    }
                }
            }
        });
    });
}

/// A child has its own copies.
#[test]
fn a_forked_child_has_a_snapshot() {
    let boxed = PerCpuBox::try_new(1_u64).expect("memory");
    // SAFETY: the child adds and ends.
    match unsafe { libc::fork() } {
        0 => {
            boxed.inc();
            let fine = boxed.sum() == possible_cpus().count() as u64 + 1;
            drop(boxed);
            let again = PerCpuBox::try_new(2_u64).is_ok_and(|again| again.sum() == 2 * possible_cpus().count() as u64);
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!(fine && again))) }
        }
        child => {
            let mut status = 0;
            // SAFETY: our child.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0);
            assert_eq!(boxed.sum(), possible_cpus().count() as u64);
        }
    }
}
