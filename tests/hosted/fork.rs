//! A forked child has a snapshot of every copy, and goes on counting exactly.

use percpu_rt::per_cpu;
use percpu_tests::pin;
use percpu_tests::random::Random;
use rustix::process::{Pid, WaitOptions, waitpid};

/// Before the fork, in the child after it, and in the parent after it.
const COUNTS: [u64; 3] = [1000, 20_000_000, 300];

#[per_cpu]
static FORKED: u64 = 0;

fn count(times: u64) {
    for _ in 0..times {
        FORKED.inc();
    }
}

#[test]
fn a_child_goes_on_from_a_snapshot() {
    let [before, child, parent] = COUNTS;
    count(before);
    // SAFETY: the child calls nothing but per-CPU operations and `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            let snapshot = FORKED.sum() == before;
            count(child);
            let exact = FORKED.sum() == before + child;
            // SAFETY: ends the child; takes any number.
            unsafe { libc::_exit(i32::from(!snapshot) + 2 * i32::from(!exact)) }
        }
        pid => {
            let pid = Pid::from_raw(pid).expect("a child");
            let mut random = Random::printed();
            let cpus = pin::allowed();
            // Moved about for as long as it counts.
            let status = loop {
                if let Some((_, status)) = waitpid(Some(pid), WaitOptions::NOHANG).expect("our child") {
                    break status;
                }
                pin::pin(Some(pid), cpus[random.below(cpus.len())]).expect("a child that nobody has waited for");
            };
            assert_eq!(status.exit_status(), Some(0), "1: no snapshot, 2: not exact");
            assert_eq!(FORKED.sum(), before, "the child counts on copies of its own");
            count(parent);
            assert_eq!(FORKED.sum(), before + parent);
        }
    }
}
