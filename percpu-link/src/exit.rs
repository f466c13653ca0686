//! The statuses with which the tool ends; scripts rely on them.

use std::process::ExitCode;

/// The table of statuses, as `--help` prints it.
pub(crate) const TABLE: &str = "\
Exit status:
  0    good
  1    wrong usage, or a file cannot be read or written
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
    /// There are no per-CPU variables to report on.
    NoSection,
    /// The status of a program that was run for the user.
    Passed(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Failure => 1,
            Exit::NoSection => 4,
            Exit::Passed(code) => code,
        })
    }
}
