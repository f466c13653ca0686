//! The negative control: load, add and store without a critical section, under the same load.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use percpu_rt::per_cpu;

use crate::worker::{Lane, run};

/// Runs until an update is lost, at the most.
const TRIES: usize = 100;

#[test]
fn an_unprotected_sequence_loses_updates() {
    #[per_cpu]
    static UNPROTECTED: u64 = 0;
    fn add_one(_: &Lane) {
        // SAFETY: an aligned word that lives for ever, reached by atomics here and by `sum` alone.
        let copy = unsafe { AtomicU64::from_ptr(UNPROTECTED.this_cpu_ptr()) };
        copy.store(copy.load(Relaxed) + 1, Relaxed);
    }
    let mut operations = 0;
    for _ in 0..TRIES {
        operations += run(add_one).operations;
        let kept = UNPROTECTED.sum();
        if kept < operations {
            println!("{} of {operations} updates lost", operations - kept);
            return;
        }
    }
    panic!("{operations} unprotected updates and none lost: the load is too light to prove anything");
}
