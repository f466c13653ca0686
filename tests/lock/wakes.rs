//! Nobody sleeps on: one thread frees a copy while another one falls asleep over it, and no third comes by to wake it.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;

use percpu_rt::{LocalLock, per_cpu, this_cpu};
use percpu_tests::pin;
use percpu_tests::random::Random;
use percpu_tests::tool;

use crate::stress::{delay_stores, watch};

#[per_cpu(shared_aligned)]
static SLEPT_OVER: LocalLock<u64> = LocalLock::new(0);

/// Runs `rounds` rounds of the two threads; ends the process where they get stuck for as long as `patience`, in hundredths
/// of a second.
pub(crate) fn run(rounds: u64, patience: u32) {
    let [home, other, ..] = pin::allowed()[..] else {
        tool::missing("second CPU for this process");
        return;
    };
    // Without a registration the threads of all CPUs meet over the orphan's copy.
    let copy = pin::on(home, this_cpu);
    let (held, locked) = (&AtomicU64::new(0), &AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(move || {
            pin::pin(None, other).expect("an allowed CPU");
            for round in 1..=rounds {
                await_round(locked, round - 1);
                let guard = SLEPT_OVER.lock_on(copy).expect("Linux 5.10");
                held.store(round, SeqCst);
                delay_stores();
                drop(guard);
            }
        });
        scope.spawn(move || {
            pin::pin(None, home).expect("an allowed CPU");
            let mut random = Random::new(1);
            for round in 1..=rounds {
                // The lines are here now, and the other's stores to them late.
                delay_stores();
                await_round(held, round);
                (0..random.below(64)).for_each(|_| spin_loop());
                *SLEPT_OVER.lock() += 1;
                locked.store(round, SeqCst);
            }
        });
        watch(&AtomicBool::new(false), patience, &[(locked, rounds)]);
    });
    assert_eq!(*SLEPT_OVER.lock_on(copy).expect("Linux 5.10"), rounds);
}

/// Waits without going to sleep, so that the threads meet; lets others run where they do not.
fn await_round(count: &AtomicU64, round: u64) {
    let mut spins = 0;
    while count.load(SeqCst) < round {
        spins += 1;
        if spins % 4096 == 0 {
            thread::yield_now();
        }
        spin_loop();
    }
}
