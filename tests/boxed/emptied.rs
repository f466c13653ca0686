//! Stocks that are emptied from elsewhere while their CPUs make and drop: no place is given to two, and none is lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

use percpu_rt::{PerCpuBox, stats};
use percpu_tests::alone::alone;
use percpu_tests::membarrier;
use percpu_tests::tool::{self, SANITIZED};
use percpu_tests::{pin, random::Random};

/// Variables that a thread has at a time.
const OWN: usize = 12;

/// A thread that is not over yet, by a panic or without one.
struct Ends<'a>(&'a AtomicUsize);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Two threads on each CPU make and drop `count` variables, and look whether they are still what they were, while every stock is
/// emptied again and again. What went wrong, if something did.
fn run(count: u64) -> Result<(), &'static str> {
    let start = stats().nr_cur_alloc;
    let (busy, is_doubled) = (AtomicUsize::new(2 * pin::allowed().len()), AtomicBool::new(false));
    thread::scope(|scope| {
        for (number, cpu) in pin::allowed().into_iter().flat_map(|cpu| [cpu, cpu]).enumerate() {
            let (busy, is_doubled) = (&busy, &is_doubled);
            scope.spawn(move || {
                let _ends = Ends(busy);
                pin::pin(None, cpu).expect("an allowed CPU");
                let mut random = Random::new(number as u64 + 1);
                let mut own: [Option<(u64, PerCpuBox<u64>)>; OWN] = [const { None }; OWN];
                for tag in (1..=count).map(|tag| tag << 8 | number as u64) {
                    let place = &mut own[random.below(OWN)];
                    if let Some((tag, boxed)) = place.take()
                        && !boxed.iter().all(|(_, copy)| copy == tag)
                    {
                        is_doubled.store(true, Relaxed);
                    }
                    *place = Some((tag, PerCpuBox::try_new(tag).expect("memory")));
                }
            });
        }
        while busy.load(Relaxed) > 0 && !is_doubled.load(Relaxed) {
            let _ = stats();
        }
    });
    match (is_doubled.into_inner(), stats().nr_cur_alloc) {
        (true, _) => Err("Doubled"),
        (false, end) if end != start => Err("Lost"),
        (false, _) => Ok(()),
    }
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
        // A place that two have is also freed twice, which may be found out first.
        if ["Doubled", "Lost", "the end of a PerCpuBox"].iter().any(|flaw| text.contains(flaw)) {
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
