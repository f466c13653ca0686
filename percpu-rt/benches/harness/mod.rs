//! What all benches share: variants of one thing, measured in turn in one process on one CPU.
//!
//! - `group`: the variants, the rounds, the table; `block`: one variant for some hundred microseconds.
//! - `machine`: the CPU to measure on, and one for a second thread.
//! - `baseline`: the instructions that per-CPU operations are compared with.
//!
//! A round runs a short block of every variant, one after the other, so that whatever slows the machine down for a
//! while slows all of them. A figure is the median over the rounds, a ratio one of two such medians.
#![allow(dead_code, unused_imports, reason = "each bench is a program of its own and uses a part of this")]

pub(crate) mod baseline;
mod block;
mod group;
pub(crate) mod machine;

use std::process::ExitCode;

pub(crate) use group::Group;

/// Rounds of a measurement; odd, so that the median is one of them.
const ROUNDS: usize = 101;

/// One run of a bench: what its arguments ask for, and whether a bar was missed.
pub(crate) struct Session {
    check: bool,
    smoke: bool,
    filter: Option<String>,
    missed: bool,
}

impl Session {
    /// Reads the arguments: `--check`, `--test`, a part of a group's title; what else cargo passes is ignored.
    pub(crate) fn start() -> Self {
        // A build without optimisations measures nothing, so it only shows that the bench runs.
        let mut session = Self { check: false, smoke: cfg!(debug_assertions), filter: None, missed: false };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--check" => session.check = true,
                "--test" => session.smoke = true,
                other if other.starts_with('-') => {}
                title => session.filter = Some(title.to_owned()),
            }
        }
        session
    }

    /// Whether the bench only has to show that it runs.
    pub(crate) fn is_smoke(&self) -> bool {
        self.smoke
    }

    /// How often to measure: `full` times, an odd number, or once.
    pub(crate) fn rounds(&self, full: usize) -> usize {
        if self.smoke { 1 } else { full }
    }

    /// Whether the arguments select the group of this title.
    pub(crate) fn selects(&self, title: &str) -> bool {
        self.filter.as_ref().is_none_or(|part| title.contains(part))
    }

    /// Judges `what` by a ratio that must not exceed `limit`.
    pub(crate) fn at_most(&mut self, what: &str, ratio: f64, limit: f64) {
        self.judge(what, ratio <= limit, &format!("{ratio:.2}, at most {limit}"));
    }

    /// Judges `what` by a ratio that must reach `limit`.
    pub(crate) fn at_least(&mut self, what: &str, ratio: f64, limit: f64) {
        self.judge(what, ratio >= limit, &format!("{ratio:.2}, at least {limit}"));
    }

    fn judge(&mut self, what: &str, kept: bool, figure: &str) {
        if self.check && !self.smoke {
            println!("{}  {what}: {figure}", if kept { "PASS" } else { "MISS" });
            self.missed |= !kept;
        }
    }

    /// The status to exit with: a failure where a bar was checked and missed.
    pub(crate) fn finish(self) -> ExitCode {
        if self.missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// The middle one and the least of some figures.
pub(crate) fn median_and_min(mut figures: Vec<f64>) -> (f64, f64) {
    figures.sort_by(f64::total_cmp);
    (figures[figures.len() / 2], figures[0])
}
