//! The room again in a process of its own, in valgrind.

use std::env;
use std::process::Command;

use percpu_tests::tool;

/// Asks for a thousandth of the load.
const SHORT: &str = "PERCPU_TEST_SHORT";

/// Whether this process is to do little.
pub(crate) fn is_short() -> bool {
    tool::is_set(SHORT)
}

/// Of `long`, what this process is to do.
pub(crate) fn load(long: u64) -> u64 {
    if is_short() { (long / 1000).max(1) } else { long }
}

#[test]
fn in_valgrind() {
    if tool::skip_sanitized("valgrind") {
        return;
    }
    let Some(valgrind) = tool::require("valgrind") else { return };
    let output = Command::new(valgrind)
        // Valgrind runs one thread at a time, and by itself rarely another.
        .args(["-q", "--error-exitcode=9", "--fair-sched=yes", "--leak-check=full"])
        // The standard library keeps the main thread's handle by a pointer into it.
        .args(["--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"])
        .arg(env::current_exe().expect("a test program knows its path"))
        .args(["--test-threads=1", "--skip=in_valgrind"])
        // What only has many objects, and takes minutes.
        .args(["--skip=survivors", "--skip=grown::records", "--skip=exact::a_hole_across_blocks"])
        .env(SHORT, "1")
        .output()
        .expect("the test program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", output.status);
    assert!(text.contains("random::roomy ... ok"), "the room was not run");
}
