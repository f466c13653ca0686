//! What rustc accepts and what it refuses, and in which words.
//!
//! `ui/pass` holds programs that compile and run; `ui/fail` one mistake a file, with the messages expected for it;
//! `ui/fail_codegen` the mistakes that only a full build finds. To accept changed messages:
//! `TRYBUILD=overwrite cargo test -p percpu-tests --test ui`, then read the diff.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use trybuild::TestCases;

/// The messages are this compiler's; another words some of them differently.
const GOLDEN_RUSTC: &str = "rustc 1.95.";

#[test]
fn sound_programs_compile_and_run() {
    TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn mistakes_are_refused_in_the_expected_words() {
    if is_golden_rustc() {
        TestCases::new().compile_fail("ui/fail/*.rs");
    }
}

#[test]
fn mistakes_beyond_the_type_checker_are_refused() {
    if is_golden_rustc() {
        let cases = TestCases::new();
        // Without a program to run, trybuild would only check and never generate code.
        cases.pass("ui/pass/classes.rs");
        cases.compile_fail("ui/fail_codegen/*.rs");
    }
}

#[test]
fn every_mistake_has_its_message() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    for folder in ["fail", "fail_codegen"] {
        for entry in fs::read_dir(ui.join(folder)).expect("the folder exists") {
            let path = entry.expect("the folder is readable").path();
            let both = path.with_extension("rs").exists() && path.with_extension("stderr").exists();
            assert!(both, "{} is alone", path.display());
        }
    }
}

/// Whether the messages of this compiler are compared; says so where they are not.
fn is_golden_rustc() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&output.stdout);
    let golden = version.starts_with(GOLDEN_RUSTC);
    if !golden {
        percpu_tests::tool::missing(&format!(
            "{GOLDEN_RUSTC}x, whose messages are expected (this is {})",
            version.trim()
        ));
    }
    golden
}
