//! What is linked in which way without configuration, the way out where that is wrong, and templates that go astray: the link
//! fails with a text that names the remedy.

use std::fs;
use std::path::Path;

use percpu_tests::fixture::Fixture;
use percpu_tests::tool;

use super::matrix::{GNU_LD, LLD, Linker, MOLD};
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

fn is_there(linker: Linker) -> bool {
    !tool::skip_sanitized("a build by cargo") && (linker.tool.is_empty() || tool::require(linker.tool).is_some())
}

/// The build fails, with these words.
#[track_caller]
fn assert_fails(fixture: &Fixture, words: &[&str]) {
    let error = fixture.try_build().map(|built| built.file).expect_err("a build that cannot be");
    for word in words {
        assert!(error.contains(word), "no {word} in:\n{error}");
    }
}

/// The sections of a program, by name.
fn has_section(file: &Path, name: &str) -> bool {
    let bytes = fs::read(file).expect("a program");
    let image = object::File::parse(bytes.as_slice()).expect("an ELF file");
    object::Object::section_by_name(&image, name).is_some()
}

#[test]
fn the_linker_decides_by_itself() {
    for (linker, section) in [(LLD, ".data..percpu"), (GNU_LD, "__percpu"), (MOLD, "__percpu")] {
        if is_there(linker) {
            let file = program("counts").flags(linker.flags).build().file;
            assert!(has_section(&file, section), "{linker:?}");
        }
    }
}

#[test]
fn one_section_is_for_every_linker() {
    for linker in [LLD, GNU_LD, MOLD] {
        if is_there(linker) {
            let file = program("counts").flags(linker.flags).variable("PERCPU_LINK", "section").build().file;
            assert_counts(&mut command(&file));
            assert!(has_section(&file, "__percpu") && !has_section(&file, ".data..percpu"), "{linker:?}");
        }
    }
}

/// What a final link by another linker than that of the trial meets.
#[test]
fn a_linker_that_meets_the_fragment_names_the_remedy() {
    for linker in [GNU_LD, MOLD] {
        if is_there(linker) {
            let fixture = program("counts").flags(linker.flags).variable("PERCPU_LINK", "script");
            assert_fails(&fixture, &["percpu.x", "LLD", "PERCPU_LINK=section"]);
        }
    }
}

#[test]
fn a_choice_that_is_none_is_refused() {
    if is_there(LLD) {
        let fixture = program("counts").variable("PERCPU_LINK", "lld");
        assert_fails(&fixture, &["PERCPU_LINK", "`script`", "`section`"]);
    }
}

/// Scripts that take the one section away, as its linker reads them: there is nothing to make the bounds around.
#[test]
fn the_one_section_in_another_is_a_link_error() {
    if !is_there(GNU_LD) {
        return;
    }
    for (name, script) in [
        ("moves", "SECTIONS { .moved : { *(__percpu) } } INSERT BEFORE .bss;\n"),
        ("drops", "SECTIONS { /DISCARD/ : { *(__percpu) } } INSERT BEFORE .bss;\n"),
    ] {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("x");
        fs::write(&file, script).expect("writable");
        let option = format!("-Clink-arg=-Wl,-T,{}", file.display());
        for linker in [GNU_LD, LLD] {
            let fixture = program("counts").flags(linker.flags).flag(&option).variable("PERCPU_LINK", "section");
            assert_fails(&fixture, &["__start___percpu", "let_linker_scripts_leave_section___percpu_alone"]);
        }
    }
}

/// Another image's variables belong to another domain: what an inlined operation needs of it is hidden.
#[test]
fn a_dylib_that_exports_variables_is_a_link_error() {
    for (linker, choice) in [(LLD, "script"), (LLD, "section"), (GNU_LD, "section"), (MOLD, "section")] {
        if is_there(linker) {
            let imports = Fixture::new(env!("CARGO_TARGET_TMPDIR"), "imports", "imports");
            let imports = imports.flag("-Cprefer-dynamic").flags(linker.flags).variable("PERCPU_LINK", choice);
            assert_fails(&imports, &["a_dylib_cannot_lend_per_cpu_variables__make_it_an_rlib_or_a_cdylib"]);
        }
    }
}

/// A type with padding, into which a constant cannot look: the code generator refuses it, whatever section the templates are in.
#[test]
fn a_zeroed_variable_with_another_value_is_an_error() {
    for choice in ["script", "section"] {
        if is_there(LLD) {
            let fixture = program("padded").variable("PERCPU_LINK", choice);
            assert_fails(&fixture.clone().flag("--cfg=nonzero"), &["PADDED' cannot have non-zero bytes"]);
            assert_counts(&mut command(&fixture.build().file));
        }
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
