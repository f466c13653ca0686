//! Tests that need a process to themselves: for its counts, its environment or its signals.

use std::env;
use std::process::Command;

/// Tells a process that it was started for one test.
const ALONE: &str = "PERCPU_TEST_ALONE";

/// Runs the test of this name in a process of its own; true where that is this one.
///
/// # Panics
///
/// Where it fails there.
#[must_use]
#[track_caller]
pub fn alone(test: &str) -> bool {
    alone_with(test, &[])
}

/// The same, with these variables in its environment.
///
/// # Panics
///
/// As [`alone`].
#[must_use]
#[track_caller]
pub fn alone_with(test: &str, variables: &[(&str, &str)]) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(env::current_exe().expect("a test program knows its path"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    let output = command.envs(variables.iter().copied()).output().expect("the test program runs");
    let [text, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    print!("{text}");
    eprint!("{errors}");
    assert!(output.status.success() && text.contains("1 passed"), "{command:?}: {}", output.status);
    false
}
