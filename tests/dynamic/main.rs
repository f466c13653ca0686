//! Dynamic objects of this process: what they hold, where they are, and what becomes of them.
//!
//! - `values`: zero on every CPU, apart from each other, where the offsets say.
//! - `modules`: images in every unit, in the reserved area and beyond.
//! - `errors`: each with its values, and nothing changed.
//! - `checked`: with the feature of that name, mistakes and who made them.
//! - `early`: what is to be had at once and without a system call.
//! - `limits`: a full unit, memory that is not granted, pages given back, locked memory.
//! - `storm`: threads that allocate and free, with every byte checked.
//! - `fork`, `signals`: whom a child and a handler may wait for.
//!
//! What looks at the counts of the whole process runs in one of its own.

mod checked;
mod early;
mod errors;
mod fork;
mod limits;
mod modules;
mod object;
mod signals;
mod storm;
mod values;

use std::env;
use std::process::Command;

/// Tells a process that it was started for one test.
const ALONE: &str = "PERCPU_TEST_ALONE";

/// Runs the test of this name in a process of its own; true where that is this one.
#[track_caller]
fn alone(test: &str) -> bool {
    alone_with(test, &[])
}

/// The same, with these variables in its environment.
#[track_caller]
fn alone_with(test: &str, variables: &[(&str, &str)]) -> bool {
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
