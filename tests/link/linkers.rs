//! Under LLD a program needs no configuration; under others, and beside scripts that take the templates away, the link
//! fails with a text that names the remedy.

use std::fs;
use std::path::Path;

use percpu_tests::tool;

use super::{assert_counts, command, program, run};

#[test]
fn a_crate_outside_of_the_workspace_links_and_counts() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    for fixture in [program("counts"), program("counts").release(), program("counts").flag("-Crelocation-model=static")]
    {
        assert_counts(&mut command(&fixture.build().file));
    }
}

#[test]
fn a_program_without_variables_links_and_runs() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    for fixture in [program("unused"), program("unused").release()] {
        let output = run(&mut command(&fixture.build().file));
        assert_eq!((output.status.success(), output.stdout.as_slice()), (true, b"ran\n".as_slice()));
    }
}

#[test]
fn templates_in_another_section_are_a_link_error() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    let folder = env!("CARGO_TARGET_TMPDIR");
    let script = Path::new(folder).join("swallows.x");
    fs::write(script, "SECTIONS { .swallowed : { *(.data.*) } } INSERT BEFORE .bss;\n").expect("writable");
    // As a library, since the linker meets it then before it meets the fragment.
    let fixture = program("counts").flag(&format!("-Lnative={folder}")).flag("-ldylib:+verbatim=swallows.x");
    let error = fixture.try_build().map(|built| built.file).expect_err("templates taken away");
    for words in ["ERROR(percpu-rt)", "takes .data.* before percpu.x does"] {
        assert!(error.contains(words), "no {words} in:\n{error}");
    }
}
