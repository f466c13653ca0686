//! Stocks that are emptied from elsewhere while their CPUs make and drop: no place is given to two, and none is lost.

use percpu_rt::stats;
use percpu_tests::alone::alone;
use percpu_tests::membarrier;
use percpu_tests::tool::{self, SANITIZED};

use crate::exchange::{self, FLAWS};

/// [`exchange::run`] while every stock is emptied again and again.
fn run(count: u64) -> Result<(), &'static str> {
    exchange::run(2, count, || _ = stats())
}

#[test]
fn no_place_is_doubled_or_lost() {
    if alone("emptied::no_place_is_doubled_or_lost") {
        assert_eq!(run(if tool::is_set(SANITIZED) { 3000 } else { 200_000 }), Ok(()));
    }
}

/// The control: where CPUs are not made to restart their sequences, it shows.
#[test]
#[cfg_attr(
    any(debug_assertions, feature = "checked", percpu_backend = "generic", not(target_arch = "x86_64")),
    ignore = "it needs optimised code and plain stores, as in .ci/run's `optimised`"
)]
fn without_restarts_it_shows() {
    if tool::skip_sanitized("the control") {
        return;
    }
    for _ in 0..100 {
        let text = membarrier::output_without("emptied::without_restarts", 0);
        if FLAWS.iter().any(|flaw| text.contains(flaw)) {
            println!("{text}");
            return;
        }
        assert!(text.contains("1 passed"), "the control was not run: {text}");
    }
    panic!("nothing was doubled or lost although no CPU was restarted: the load is too light to prove anything");
}

#[test]
#[ignore = "the control's own process: it is expected to fail"]
fn without_restarts() {
    if membarrier::disarm() {
        assert_eq!(run(1_000_000), Ok(()));
    }
}
