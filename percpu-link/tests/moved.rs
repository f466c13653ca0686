//! Programs whose linker script takes one crate's templates elsewhere. The link goes well, since the runtime's own template is where
//! it belongs, so it is `check` that has to fail.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::Path;

#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use tools::{build_program_with, output, run_program, tool};

const GNU_LD: &str = "-Clinker-features=-lld -Clink-arg=-fuse-ld=bfd";

/// Builds the program with and without a script of these input sections, and checks both.
#[track_caller]
fn check(name: &str, choice: &str, flags: &str, inputs: &str) {
    let environment = [("PERCPU_LINK", choice)];
    let twin = build_program_with(&format!("{name}clean"), flags, &environment);
    output(&mut tool(&["check", twin.to_str().unwrap()]), 0);
    assert_eq!(run_program(&twin).1, tools::TOTAL);

    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("x");
    std::fs::write(&script, format!("SECTIONS {{ .moved : {{ *{name}-*({inputs}) }} }} INSERT BEFORE .bss;\n"))
        .unwrap();
    // With the fragment as a library, since the linker meets it then before it meets the fragment.
    let flags = if choice == "script" {
        format!("{flags} -Lnative={} -ldylib:+verbatim={name}.x", env!("CARGO_TARGET_TMPDIR"))
    } else {
        format!("{flags} -Clink-arg=-Wl,-T,{}", script.display())
    };
    let moved = build_program_with(name, &flags, &environment);
    let (stdout, _) = output(&mut tool(&["check", moved.to_str().unwrap()]), 2);
    let message =
        format!("error[misplaced]: the template of `{name}::HITS` lies in `.moved`, which is copied to no CPU");
    assert!(stdout.contains(&message), "{stdout}");
    let help = stdout.split("  help: ").nth(1).unwrap_or_default();
    let section = if choice == "script" { ".data..percpu*" } else { "__percpu" };
    assert!(help.contains("a linker script of this program has to leave") && help.contains(section), "{stdout}");
}

#[test]
fn by_lld_beside_the_fragment() {
    check("movedscript", "script", "", ".data..percpu.*");
}

#[test]
fn by_lld_out_of_one_section() {
    check("movedsection", "section", "", "__percpu");
}

#[test]
fn by_gnu_ld_out_of_one_section() {
    if tools::require("ld.bfd") {
        check("movedgnu", "section", GNU_LD, "__percpu");
    }
}
