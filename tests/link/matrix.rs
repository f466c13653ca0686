//! Every linker with every profile and every kind of program, for a crate outside of the workspace that has no build script.
//!
//! The crate's library has variables of every class and alignment, and checks them; its program, integration test, bench and
//! doctest run the checks beside variables of their own, with and without registered threads. A shared object is opened
//! by a program.

use percpu_tests::fixture::Fixture;
use percpu_tests::tool;

use super::shared_object::{assert_checks, plugin};
use super::{assert_counts, command, has_static_libc};

/// A linker and how rustc is told to take it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linker {
    /// Its command; empty where it comes with Rust.
    pub(crate) tool: &'static str,
    pub(crate) flags: &'static [&'static str],
    /// Whether it links programs that are static and not position-independent. Those that mold 1.10 makes of an empty `main`
    /// and Debian's glibc end by SIGSEGV.
    has_static_fixed: bool,
}

pub(crate) const LLD: Linker = Linker { tool: "", flags: &[], has_static_fixed: true };
pub(crate) const GNU_LD: Linker =
    Linker { tool: "ld.bfd", flags: &["-Clinker-features=-lld", "-Clink-arg=-fuse-ld=bfd"], has_static_fixed: true };
/// With pages as large as the largest alignment: mold 1.10 else goes round in circles over some images with a section that is
/// aligned beyond a page, whoever wrote it and on one thread too (`.data` of 6224 bytes in front of `.balign 8192` is one).
pub(crate) const MOLD: Linker = Linker {
    tool: "mold",
    flags: &["-Clinker-features=-lld", "-Clink-arg=-fuse-ld=mold", "-Clink-arg=-Wl,-z,max-page-size=8192"],
    has_static_fixed: false,
};

const PROFILES: [&str; 4] = ["dev", "release", "thin", "fat"];

/// A kind of program.
#[derive(Debug, Clone, Copy)]
struct Kind {
    flags: &'static [&'static str],
    is_static: bool,
    /// Linked to run at one address.
    is_fixed: bool,
}

const KINDS: [Kind; 4] = [
    Kind { flags: &[], is_static: false, is_fixed: false },
    Kind { flags: &["-Ctarget-feature=+crt-static"], is_static: true, is_fixed: false },
    Kind { flags: &["-Crelocation-model=static"], is_static: false, is_fixed: true },
    Kind { flags: &["-Crelocation-model=static", "-Ctarget-feature=+crt-static"], is_static: true, is_fixed: true },
];

/// All programs of the downstream crate with these settings.
#[track_caller]
fn assert_holds(linker: Linker, profile: &'static str, kind: Kind) {
    let setting = format!("{linker:?}, {profile}, {kind:?}");
    let with = |fixture: Fixture| fixture.profile(profile).flags(linker.flags).flags(kind.flags);
    let crate_ = with(Fixture::new(env!("CARGO_TARGET_TMPDIR"), "downstream", "main"));
    // Link-time optimisation takes its time for each program; it makes the three of the same crates.
    let programs = if tool::is_set(tool::FULL) || !["thin", "fat"].contains(&profile) {
        let programs = crate_.try_build_all().unwrap_or_else(|error| panic!("{setting}:\n{error}"));
        assert_eq!(programs.len(), 3, "a program, a test and a bench: {programs:?}");
        crate_.try_doctests().unwrap_or_else(|error| panic!("{setting}:\n{error}"));
        programs
    } else {
        vec![crate_.build().file]
    };
    for program in &programs {
        for registered in [true, false] {
            let mut command = command(program);
            command.env("GLIBC_TUNABLES", if registered { "" } else { "glibc.pthread.rseq=0" });
            if !cfg!(percpu_backend = "generic") {
                command.env("EXPECT_ORPHAN", if registered { "0" } else { "1" });
            }
            assert_counts(&mut command);
        }
    }
    // Made of the same code, which can be anywhere only then.
    if !kind.is_static && !kind.is_fixed {
        assert_checks(&with(plugin()).build().file);
    }
}

/// Every profile by this linker, each with a kind of program of its own, or all products.
#[track_caller]
fn assert_links(linker: Linker, shift: usize) {
    if tool::skip_sanitized("a build by cargo") || (!linker.tool.is_empty() && tool::require(linker.tool).is_none()) {
        return;
    }
    let links = |kind: &Kind| linker.has_static_fixed || !kind.is_static || !kind.is_fixed;
    let kinds: Vec<_> = KINDS.into_iter().filter(links).collect();
    for (number, profile) in PROFILES.into_iter().enumerate() {
        // Two linkers have different pairs, so that three have nearly all.
        let picked = (number + shift) % kinds.len();
        for (number, kind) in kinds.iter().enumerate() {
            if (number == picked || tool::is_set(tool::FULL)) && (!kind.is_static || has_static_libc()) {
                assert_holds(linker, profile, *kind);
            }
        }
    }
}

#[test]
fn rust_lld() {
    assert_links(LLD, 0);
}

#[test]
fn gnu_ld() {
    assert_links(GNU_LD, 1);
}

#[test]
fn mold() {
    assert_links(MOLD, 2);
}
