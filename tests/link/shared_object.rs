//! A shared object with variables: a domain of its own beside the program's, opened, used by threads and closed.

use std::path::Path;

use percpu_tests::fixture::Fixture;
use percpu_tests::tool;

use super::matrix::{GNU_LD, LLD, MOLD};
use super::{assert_counts, command, program};

/// The shared object.
pub(crate) fn plugin() -> Fixture {
    Fixture::new(env!("CARGO_TARGET_TMPDIR"), "plugin", "plugin")
}

/// A program with variables of its own opens the object, uses and closes it in every round. Returns whether the object was
/// still mapped then.
#[track_caller]
fn is_mapped_after(file: &Path, rounds: usize, more: Option<&str>) -> bool {
    let host = program("host").build().file;
    let mut mapped = Vec::new();
    for tunables in ["", "glibc.pthread.rseq=0"] {
        let mut command = command(&host);
        command.arg(file).arg(rounds.to_string()).args(more).env("GLIBC_TUNABLES", tunables);
        mapped.push(assert_counts(&mut command));
    }
    assert_eq!(mapped[0], mapped[1]);
    mapped[0].contains("mapped true")
}

/// A shared object that is the downstream crate too holds what a program holds.
#[track_caller]
pub(crate) fn assert_checks(file: &Path) {
    assert!(is_mapped_after(file, 2, Some("check")), "{} is gone when it is closed", file.display());
}

#[test]
fn opened_used_and_closed_in_200_rounds() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    for linker in [LLD, GNU_LD, MOLD] {
        if linker.tool.is_empty() || tool::require(linker.tool).is_some() {
            let file = plugin().release().flags(linker.flags).build().file;
            assert!(is_mapped_after(&file, 200, None), "{linker:?}: gone when it is closed");
        }
    }
}

/// The control: what has no variables goes when it is closed, so it is set-up that keeps the others.
#[test]
fn without_variables_it_goes() {
    if !tool::skip_sanitized("a build by cargo") {
        let plain = plugin().release().flags(&["--cfg", "plain"]).build();
        assert!(!is_mapped_after(&plain.file, 3, None), "nothing is ever unmapped here");
    }
}
