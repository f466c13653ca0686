//! Threads that make and drop variables of one size, so that each place is soon another's.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

use percpu_rt::{PerCpuBox, stats};
use percpu_tests::{pin, random::Random};

/// What is found in what a test prints where a place is given to two, or to none. One that two have is also freed twice, which may be
/// found out first.
pub(crate) const FLAWS: [&str; 3] = ["Doubled", "Lost", "the end of a PerCpuBox"];

/// Variables that a thread has at a time.
const OWN: usize = 12;

/// A thread that is not over yet, by a panic or without one.
struct Ends<'a>(&'a AtomicUsize);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// `threads` on each CPU make and drop `count` variables, and look whether they are still what they were, while `meanwhile` is
/// called again and again. What went wrong, if something did.
pub(crate) fn run(threads: usize, count: u64, meanwhile: impl Fn()) -> Result<(), &'static str> {
    let start = stats().nr_cur_alloc;
    let (busy, is_doubled) = (AtomicUsize::new(threads * pin::allowed().len()), AtomicBool::new(false));
    thread::scope(|scope| {
        let cpus = pin::allowed().into_iter().flat_map(|cpu| std::iter::repeat_n(cpu, threads));
        for (number, cpu) in cpus.enumerate() {
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
            meanwhile();
        }
    });
    match (is_doubled.into_inner(), stats().nr_cur_alloc) {
        (true, _) => Err("Doubled"),
        (false, end) if end != start => Err("Lost"),
        (false, _) => Ok(()),
    }
}
