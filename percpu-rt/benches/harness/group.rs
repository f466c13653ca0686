//! Variants that are compared with each other.

use std::thread;

use super::block::{Block, Repeat};
use super::{ROUNDS, Session, machine, median_and_min};

struct Variant {
    name: &'static str,
    block: Block,
    /// At most this many times the floor's time.
    at_most: Option<f64>,
    /// At least this many times faster than the yardstick.
    faster: Option<f64>,
}

/// Variants of one thing; bars apply to the variant added last.
pub(crate) struct Group {
    title: &'static str,
    /// Operations in one repetition.
    unroll: u64,
    variants: Vec<Variant>,
    floor: Option<usize>,
    yardstick: Option<usize>,
}

impl Group {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, unroll: 1, variants: Vec::new(), floor: None, yardstick: None }
    }

    /// One repetition of each block is this many operations.
    pub(crate) fn unrolled(mut self, operations: u64) -> Self {
        self.unroll = operations;
        self
    }

    pub(crate) fn variant(mut self, name: &'static str, repeat: Repeat) -> Self {
        self.variants.push(Variant { name, block: Block { repeat, rival: None }, at_most: None, faster: None });
        self
    }

    /// A variant that a second thread runs at the same time; left out where there is no second CPU.
    pub(crate) fn contended(mut self, name: &'static str, repeat: Repeat) -> Self {
        if let Some(rival) = machine::rival() {
            self = self.variant(name, repeat);
            self.last().block.rival = Some(rival);
        }
        self
    }

    /// A variant run by two threads that the others are to beat; left out where there is no second CPU.
    pub(crate) fn contended_yardstick(mut self, name: &'static str, repeat: Repeat) -> Self {
        self.yardstick = machine::rival().map(|_| self.variants.len());
        self.contended(name, repeat)
    }

    /// The variant that nothing can beat.
    pub(crate) fn floor(mut self, name: &'static str, repeat: Repeat) -> Self {
        self.floor = Some(self.variants.len());
        self.variant(name, repeat)
    }

    /// The variant that the others are to beat.
    pub(crate) fn yardstick(mut self, name: &'static str, repeat: Repeat) -> Self {
        self.yardstick = Some(self.variants.len());
        self.variant(name, repeat)
    }

    pub(crate) fn at_most(mut self, times_the_floor: f64) -> Self {
        self.last().at_most = Some(times_the_floor);
        self
    }

    pub(crate) fn faster(mut self, times_than_the_yardstick: f64) -> Self {
        self.last().faster = Some(times_than_the_yardstick);
        self
    }

    fn last(&mut self) -> &mut Variant {
        self.variants.last_mut().expect("a bar follows its variant")
    }

    /// Measures all variants and prints them, if the arguments select this group.
    pub(crate) fn run(self, session: &mut Session) {
        if !session.selects(self.title) {
            return;
        }
        let rounds = session.rounds(ROUNDS);
        // On a thread of its own, which takes its affinity along when it ends.
        let measure = || self.measure(rounds, session.is_smoke());
        let figures = thread::scope(|scope| scope.spawn(measure).join().expect("no block panics"));
        if session.is_smoke() {
            println!("{}: runs; `cargo bench` measures it", self.title);
            return;
        }
        println!("\n{}: ns an operation on CPU {}, {rounds} rounds", self.title, machine::home());
        self.print(&figures);
        self.judge(&figures, session);
    }

    /// Median and least time of an operation of each variant, in ns.
    fn measure(&self, rounds: usize, smoke: bool) -> Vec<(f64, f64)> {
        machine::pin(machine::home());
        let repetitions: Vec<_> = self.variants.iter().map(|v| if smoke { 1 } else { v.block.calibrate() }).collect();
        let mut figures = vec![Vec::with_capacity(rounds); self.variants.len()];
        for _ in 0..rounds {
            for ((variant, &repetitions), figures) in self.variants.iter().zip(&repetitions).zip(&mut figures) {
                figures.push(variant.block.time(repetitions).as_secs_f64() * 1e9 / (repetitions * self.unroll) as f64);
            }
        }
        figures.into_iter().map(median_and_min).collect()
    }

    fn print(&self, figures: &[(f64, f64)]) {
        let reference = |index: Option<usize>| index.map(|index| (self.variants[index].name, figures[index].0));
        let (floor, yardstick) = (reference(self.floor), reference(self.yardstick));
        print!("  {:30}{:>9}{:>9}", "", "median", "min");
        floor.inspect(|(name, _)| print!("{:>20}", format!("× {name}")));
        yardstick.inspect(|(name, _)| print!("{:>26}", format!("faster than {name}")));
        println!();
        for (variant, &(median, min)) in self.variants.iter().zip(figures) {
            print!("  {:30}{median:9.3}{min:9.3}", variant.name);
            floor.inspect(|(_, floor)| print!("{:20.2}", median / floor));
            yardstick.inspect(|(_, yardstick)| print!("{:25.2}×", yardstick / median));
            println!();
        }
    }

    fn judge(&self, figures: &[(f64, f64)], session: &mut Session) {
        for (variant, (median, _)) in self.variants.iter().zip(figures) {
            if let (Some(limit), Some(floor)) = (variant.at_most, self.floor) {
                let what = format!("{}, {}: times {}", self.title, variant.name, self.variants[floor].name);
                session.at_most(&what, median / figures[floor].0, limit);
            }
            if let (Some(limit), Some(yardstick)) = (variant.faster, self.yardstick) {
                let what = format!("{}, {}: faster than {}", self.title, variant.name, self.variants[yardstick].name);
                session.at_least(&what, figures[yardstick].0 / median, limit);
            }
        }
    }
}
