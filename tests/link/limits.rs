//! The unit size as asked for, and as address space allows; else the process ends with the reason and the remedy.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use percpu_tests::tool;

use super::{assert_counts, command, number, program, run};

/// `None` where nothing is built.
static COUNTS: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| (!tool::skip_sanitized("a build by cargo")).then(|| program("counts").build().file));

/// Kibibytes between two limits that are tried.
const STEP: u64 = 16;

/// The program with a unit size in its environment.
fn sized(size: &str) -> Option<Command> {
    let mut command = command(COUNTS.as_deref()?);
    command.env("PERCPU_UNIT_SIZE", size);
    Some(command)
}

/// The program under a limit on its address space.
fn limited(program: &Path, kibibytes: u64) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -v {kibibytes} && exec \"$0\"")).arg(program);
    shell.env_remove("PERCPU_UNIT_SIZE");
    shell
}

/// Ended by `SIGABRT`, with these words in its last line and nothing done.
#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    for word in words.iter().chain(&["percpu-rt: "]) {
        assert!(text.contains(word), "no {word} in: {text}");
    }
}

#[test]
fn the_unit_size_is_what_was_asked_for() {
    for (asked, bytes) in [("1048576", 1 << 20), ("256K", 1 << 18), ("3M", 3 << 20), ("1G", 1 << 30)] {
        let Some(mut command) = sized(asked) else { return };
        assert_eq!(number(&assert_counts(&mut command), "unit size"), bytes, "{asked}");
    }
}

#[test]
fn a_unit_size_that_cannot_be_is_refused_by_its_name() {
    for (asked, words) in [
        ("", "not a number"),
        ("big", "not a number"),
        ("-1", "not a number"),
        ("0x1000", "not a number"),
        ("99999999999999999999", "not a number"),
        ("0", "needs"),
        ("4096", "needs"),
        ("1048577", "multiple of 4096"),
    ] {
        let Some(mut command) = sized(asked) else { return };
        assert_refused(&run(&mut command), &["PERCPU_UNIT_SIZE", words]);
    }
}

#[test]
fn a_unit_size_beyond_address_space_is_refused() {
    for asked in ["4000T", "16777215T"] {
        let Some(mut command) = sized(asked) else { return };
        assert_refused(&run(&mut command), &["reserve", "PERCPU_UNIT_SIZE"]);
    }
}

/// Without a limit the reservation is large; under one it is halved until it fits, and everything works.
#[test]
fn a_limit_on_address_space_halves_the_units() {
    let Some(path) = COUNTS.as_deref() else { return };
    let largest = number(&assert_counts(command(path).env_remove("PERCPU_UNIT_SIZE")), "unit size");
    let kibibytes = 1 << 20;
    let text = assert_counts(&mut limited(path, kibibytes));
    let size = number(&text, "unit size");
    assert!(size < largest, "{size} under a limit, {largest} without");
    assert!(size * number(&text, "units") < kibibytes << 10, "{text}");
    // But for what keeps copies from lying powers of two apart.
    assert!((size + (64 << 10)).is_power_of_two(), "{text}");
}

#[test]
fn a_limit_without_room_for_any_units_is_named() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    // A program that needs next to nothing but its units.
    let path = program("early").build().file;
    let try_with = |kibibytes| run(&mut limited(&path, kibibytes));
    // The least at which it runs. A step below, set-up is what has no room: the loader comes before it and needs more.
    let (mut fails, mut works) = (0, 1 << 20);
    while works - fails > STEP {
        let middle = (fails + works) / 2;
        if try_with(middle).status.success() { works = middle } else { fails = middle }
    }
    let refusal = (0..64).map_while(|steps| fails.checked_sub(steps * STEP)).map(try_with);
    let refusal = refusal.into_iter().find(|output| String::from_utf8_lossy(&output.stderr).contains("percpu-rt: "));
    assert_refused(&refusal.expect("a limit that set-up names"), &["ulimit -v", "RLIMIT_AS", "raise it"]);
}
