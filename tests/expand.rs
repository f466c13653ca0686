//! What `#[per_cpu]` leaves behind, its own half and the runtime's both expanded: reviewed texts, one an input.
//!
//! `expand/NAME.rs` becomes `expand/NAME.expanded.rs`, as rustc prints it. To accept changed texts:
//! `BLESS=1 cargo test -p percpu-tests --test expand`, then read the diff. The attribute's half alone, one call into the
//! runtime, is compared as tokens beside its code, in percpu-macros.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use percpu_tests::fixture::{Built, Fixture};
use percpu_tests::tool;

/// What a reviewed text's name ends with.
const EXPANDED: &str = "expanded.rs";

/// What the name of an input begins with in which the attribute finds a mistake.
const REFUSED: &str = "refused_";

/// The line up to which rustc adds the same to every crate.
const PRELUDE: &str = "use std::prelude::rust_2024::*;\n";

/// The files in `expand/`: the inputs, and the reviewed texts.
fn files() -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("expand");
    let files = fs::read_dir(folder).expect("the folder exists").map(|entry| entry.expect("is readable").path());
    files.partition(|file| !file.to_string_lossy().ends_with(EXPANDED))
}

/// Expands a file, against the runtime that came of a build.
fn expand(input: &Path, built: &Built) -> String {
    let name = input.file_stem().expect("a file").to_string_lossy();
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    // The printing is what a stable rustc does not offer; the expansion is the same.
    rustc.env("RUSTC_BOOTSTRAP", "1").args(["-Zunpretty=expanded", "--edition=2024", "--crate-type=lib"]);
    rustc.arg("--extern").arg(format!("percpu_rt={}", built.runtime.display()));
    for crates in [&built.runtime, &built.macros] {
        let folder = crates.parent().expect("a file in a folder");
        rustc.arg("-L").arg(format!("dependency={}", folder.display()));
    }
    let output = rustc.arg(input).output().expect("rustc runs");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), !name.starts_with(REFUSED), "{name}: {messages}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (_, expansion) = text.split_once(PRELUDE).unwrap_or_else(|| panic!("{name} is not expanded: {messages}"));
    expansion.trim_start().to_owned()
}

/// Whether expansions can be compared here; says so where they cannot.
fn can_compare() -> bool {
    if tool::skip_sanitized("a build by cargo") {
        return false;
    }
    let golden = percpu_tests::fixture::rustc(&["--version"]).starts_with("rustc 1.95.");
    if !golden {
        // Another compiler prints differently.
        tool::missing("rustc 1.95, whose expansions were reviewed");
    }
    golden
}

/// Compares the expansions with the reviewed texts, or takes them for reviewed.
fn compare() {
    let fixture = Fixture::new(env!("CARGO_TARGET_TMPDIR"), "library", "library");
    // Otherwise the linker would decide on the names of the sections.
    let built = fixture.variable("PERCPU_LINK", "script").build();
    let mut changed = Vec::new();
    for input in files().0 {
        let golden = input.with_extension(EXPANDED);
        let text = expand(&input, &built);
        if tool::is_set("BLESS") {
            fs::write(golden, text).expect("the source folder is writable");
        } else if fs::read_to_string(&golden).ok().as_ref() != Some(&text) {
            changed.push(format!("{} would be:\n{text}", golden.display()));
        }
    }
    assert!(changed.is_empty(), "review what has changed, and run with BLESS=1:\n{}", changed.join("\n"));
}

#[test]
fn expansions_are_as_reviewed() {
    if can_compare() {
        compare();
    }
    let (inputs, texts) = files();
    assert!(inputs.len() > 5, "{inputs:?}");
    let expected = inputs.iter().map(|input| input.with_extension(EXPANDED)).collect();
    let alone: Vec<_> = texts.symmetric_difference(&expected).collect();
    assert!(alone.is_empty(), "missing, or without an input: {alone:?}");
}
