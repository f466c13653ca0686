//! The statuses with which the tool ends; scripts rely on them.

use std::process::ExitCode;

use crate::model::{Code, Report};

/// The table of statuses, as `--help` prints it.
pub(crate) const TABLE: &str = "\
Exit status:
  0    good
  1    wrong usage, or a file cannot be read or written
  2    a denied lint
  3    over budget
  4    no per-CPU section
  101  cargo's build failed
  run, test and bench end with the status of what they ran.";

/// A status with which the tool ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Good,
    /// Wrong usage, or a file cannot be read or written.
    Failure,
    /// An image has a finding that is denied.
    Denied,
    /// The variables of an image take more than the settings allow.
    OverBudget,
    /// There are no per-CPU variables to report on.
    NoSection,
    /// The status of a program that was run for the user.
    Passed(u8),
}

impl Exit {
    /// The status that belongs to the findings of an image. What is wrong comes before what is large.
    pub(crate) fn of(report: &Report) -> Self {
        let codes: Vec<Code> = report.failures().map(|finding| finding.code).collect();
        match codes.as_slice() {
            [] => Self::Good,
            codes if codes.iter().all(|code| *code == Code::OverBudget) => Self::OverBudget,
            _ => Self::Denied,
        }
    }

    /// This status, or if it is good the other: the first failure decides.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::Good { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Failure => 1,
            Exit::Denied => 2,
            Exit::OverBudget => 3,
            Exit::NoSection => 4,
            Exit::Passed(code) => code,
        })
    }
}
