//! The load is exact, however its threads are registered; and it is not where the claim's barrier does nothing.

use std::process::Command;
use std::{env, thread};

use percpu_rt::{LocalLock, LockOnError, per_cpu};
use percpu_tests::membarrier;
use percpu_tests::pin;
use percpu_tests::tool::{self, FULL, SANITIZED, is_set};

use crate::load::{self, Claims};
use crate::wakes;

/// Rounds in which one thread falls asleep over what another one frees.
const ROUNDS: u64 = 100_000;

/// The patience of a watchdog that is not expected to bark.
const MINUTE: u32 = 6000;

fn acquisitions() -> u64 {
    let whole = 50_000_000;
    match () {
        () if is_set(FULL) => whole * 4,
        () if is_set(SANITIZED) => whole / 100,
        () if cfg!(debug_assertions) => whole / 10,
        () => whole,
    }
}

#[test]
fn a_pair_is_never_seen_in_the_middle() {
    assert_eq!(load::run(acquisitions(), MINUTE, Claims::All), Ok(()));
}

#[test]
fn nobody_sleeps_on() {
    wakes::run(ROUNDS, MINUTE);
}

#[test]
#[cfg_attr(any(percpu_backend = "generic", not(target_arch = "x86_64")), ignore = "it needs no registration")]
fn nor_without_registration() {
    for name in ["exclusion::a_pair_is_never_seen_in_the_middle", "exclusion::nobody_sleeps_on"] {
        let text = output(this_test(name).env("GLIBC_TUNABLES", "glibc.pthread.rseq=0"));
        assert!(text.contains("1 passed"), "{text}");
    }
}

/// Without `membarrier` nobody can claim, and sleepers have to look for themselves.
#[test]
#[cfg_attr(any(percpu_backend = "generic", not(target_arch = "x86_64")), ignore = "it needs no barrier")]
fn nor_where_barriers_are_refused() {
    let text = membarrier::output_without("exclusion::load_without_claims", libc::EPERM);
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "a process of its own: it gives up a system call"]
fn load_without_claims() {
    if membarrier::disarm() {
        assert_eq!(load::run(acquisitions(), MINUTE, Claims::None), Ok(()));
    }
}

/// A sandbox may come between two claims: the second one leaves the copy as it was.
#[test]
#[cfg_attr(any(percpu_backend = "generic", not(target_arch = "x86_64")), ignore = "it needs no barrier")]
fn a_claim_that_is_refused_later_leaves_the_lock_usable() {
    let text = membarrier::output_without("exclusion::claim_before_and_behind_a_refusal", libc::EPERM);
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "a process of its own: it gives up a system call"]
fn claim_before_and_behind_a_refusal() {
    #[per_cpu]
    static LATE: LocalLock<u64> = LocalLock::new(0);
    let cpu = pin::allowed()[0];
    *LATE.lock_on(cpu).expect("Linux 5.10") += 1;
    if membarrier::disarm() {
        assert_eq!(LATE.lock_on(cpu).err(), Some(LockOnError::Unsupported));
        // Nobody claims it any more: a thread of that CPU does not sleep, and another one is not refused.
        for _ in 0..2 {
            thread::scope(|scope| {
                scope.spawn(|| pin::on(cpu, || *LATE.lock() += 1)).join().expect("it does not panic")
            });
        }
        assert_eq!(pin::on(cpu, || *LATE.lock()), 3);
    }
}

/// The control: without it nobody knows whether the load would notice. That of the sleepers' barrier is in the models.
#[test]
#[cfg_attr(
    any(debug_assertions, percpu_backend = "generic", not(target_arch = "x86_64")),
    ignore = "stores have to be late: it needs optimised code and plain ones, as in .ci/run's `optimised`"
)]
fn a_claim_without_its_barrier_fails() {
    if tool::skip_sanitized("the control") {
        return;
    }
    for _ in 0..100 {
        let text = membarrier::output_without("exclusion::load_without_barrier", 0);
        if ["Torn", "Lost", "Stuck"].iter().any(|flaw| text.contains(flaw)) {
            println!("{text}");
            return;
        }
        assert!(text.contains("1 passed"), "the control was not run, or failed for another reason: {text}");
    }
    panic!("no claim was lost although its barrier did nothing: the load is too light to prove anything");
}

#[test]
#[ignore = "the control's own process: it is expected to fail"]
fn load_without_barrier() {
    if membarrier::disarm() {
        // A thread that sleeps for good is as good as a lost update.
        assert_eq!(load::run(acquisitions() * 10, MINUTE / 20, Claims::All), Ok(()));
    }
}

/// All that a test program prints.
fn output(command: &mut Command) -> String {
    let output = command.output().expect("the test program runs");
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}

fn this_test(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("a test program knows its path"));
    command.args(["--exact", name]);
    command
}
