//! What is linked in which way, and what happens before set-up and where set-up cannot be had.
//!
//! - `matrix`: every linker, profile and kind of program.
//! - `linkers`: what is linked without configuration, and a text with the remedy where templates go astray.
//! - `shared_object`: opened, used, closed, and a domain of its own.
//! - `early`: an access before set-up ends the process.
//! - `archive`: a static library linked by C.
//! - `limits`: the unit size, and address space that is not to be had.
//! - `static_libc`: a program without a dynamic linker.

mod archive;
mod early;
mod limits;
mod linkers;
mod matrix;
mod shared_object;
mod static_libc;

use std::path::Path;
use std::process::{Command, Output};

use percpu_tests::fixture::{self, Fixture};
use percpu_tests::tool;

/// The signal that ends an access before set-up: portably a panic tells why, where it can be seen to be one.
const BEFORE_SET_UP: i32 = if cfg!(percpu_backend = "generic") { libc::SIGABRT } else { libc::SIGSEGV };

/// A program of `fixtures/`.
fn program(name: &'static str) -> Fixture {
    Fixture::new(env!("CARGO_TARGET_TMPDIR"), "programs", name)
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// The program counts exactly; returns what it printed.
#[track_caller]
fn assert_counts(command: &mut Command) -> String {
    let output = run(command);
    let [text, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {}\n{text}{errors}", output.status);
    text
}

/// The number behind `key` in what a program printed.
#[track_caller]
fn number(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("no {key} in:\n{text}"));
    line.trim().parse().unwrap_or_else(|_| panic!("{key} is no number in:\n{text}"))
}

/// Whether programs without a dynamic linker can be linked here; says that a test is skipped where not.
fn has_static_libc() -> bool {
    let files = ["/usr/lib/x86_64-linux-gnu/libc.a", "/usr/lib/aarch64-linux-gnu/libc.a", "/usr/lib64/libc.a"];
    let found = files.iter().any(|file| Path::new(file).exists()) && fixture::host().ends_with("-gnu");
    if !found {
        tool::missing("static glibc (libc.a)");
    }
    found
}

fn command(file: &Path) -> Command {
    Command::new(file)
}
