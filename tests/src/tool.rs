//! Tools that not every machine has: a test without its tool says so, and fails where they are required.

use std::env;
use std::path::PathBuf;

/// Set to 1 where every tool is installed: a missing one then fails the test instead of skipping it.
pub const REQUIRE: &str = "PERCPU_REQUIRE_TOOLS";

/// Set to 1 for builds with a sanitizer: what runs other tools or builds other programs is then skipped.
pub const SANITIZED: &str = "PERCPU_SANITIZED";

/// Set to 1 for the long form of the tests that have one.
pub const FULL: &str = "PERCPU_FULL";

/// Whether an environment variable is set to 1.
#[must_use]
pub fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| value == "1")
}

/// The program of that name in `PATH`.
///
/// # Panics
///
/// Where there is none although tools are required.
#[must_use]
pub fn require(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        missing(name);
    }
    found
}

/// Says that a test is skipped, as the machine has no `what`.
///
/// # Panics
///
/// Where everything is required to be there.
pub fn missing(what: &str) {
    assert!(!is_set(REQUIRE), "this machine has no {what}, and {REQUIRE}=1 forbids to skip the test");
    eprintln!("skipped: this machine has no {what}");
}

/// Whether this is a run with a sanitizer, in which `what` makes no sense; says that it is skipped.
#[must_use]
pub fn skip_sanitized(what: &str) -> bool {
    let skip = is_set(SANITIZED);
    if skip {
        eprintln!("skipped: {what} has nothing to do with the sanitizer ({SANITIZED}=1)");
    }
    skip
}
