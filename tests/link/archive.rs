//! A static library with a variable, linked by C: set up before `main`, and dead before set-up.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use percpu_tests::fixture::{self, Fixture};
use percpu_tests::tool;

use super::{BEFORE_SET_UP, command, run};

const PROGRAM: &str = r#"
#include <stdint.h>
#include <stdio.h>
void hits_inc(void);
uint64_t hits_count(void);
#ifdef EARLY
static void constructor(void) { hits_inc(); }
__attribute__((section(".init_array.00001"), used)) static void (*early)(void) = constructor;
#endif
int main(void) {
    for (int i = 0; i < 1000; i++) hits_inc();
    printf("%lu\n", (unsigned long)hits_count());
}
"#;

/// Where the C compiler finds the LLD that comes with Rust.
fn lld() -> String {
    format!("-B{}/lib/rustlib/{}/bin/gcc-ld", fixture::rustc(&["--print", "sysroot"]), fixture::host())
}

/// Links the program with the library as a C project would.
fn link(release: bool, define: &[&str]) -> Option<PathBuf> {
    if tool::skip_sanitized("a program of C") {
        return None;
    }
    let cc = tool::require("cc")?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fixture = Fixture::new(env!("CARGO_TARGET_TMPDIR"), "archive", "archive");
    let built = if release { fixture.release() } else { fixture }.build();
    let name = format!("archive-{release}-{}", define.concat());
    let source = folder.join(&name).with_extension("c");
    fs::write(&source, PROGRAM).expect("the target directory is writable");
    let program = folder.join(name);
    let mut cc = Command::new(cc);
    cc.args(define).arg(&source).arg(&built.file).arg(&built.fragment).arg("-o").arg(&program);
    cc.args(["-fuse-ld=lld", &lld(), "-lpthread", "-ldl", "-lm", "-Wl,--gc-sections"]);
    let output = run(&mut cc);
    assert!(output.status.success(), "{cc:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    Some(program)
}

#[test]
fn set_up_runs_before_main_of_c() {
    for release in [false, true] {
        let Some(program) = link(release, &[]) else { return };
        let output = run(&mut command(&program));
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"1000\n".as_slice()), "{output:?}");
    }
}

/// In one section nothing is to be added to the link, whatever the linker.
#[test]
fn in_one_section_c_links_by_any_linker() {
    if tool::skip_sanitized("a program of C") {
        return;
    }
    let built = Fixture::new(env!("CARGO_TARGET_TMPDIR"), "archive", "archive");
    let built = built.release().variable("PERCPU_LINK", "section").build();
    let Some(cc) = tool::require("cc") else { return };
    for [linker, option] in [["ld.bfd", "-fuse-ld=bfd"], ["mold", "-fuse-ld=mold"]] {
        if tool::require(linker).is_none() {
            continue;
        }
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("archive-{linker}"));
        let source = program.with_extension("c");
        fs::write(&source, PROGRAM).expect("the target directory is writable");
        let mut cc = Command::new(&cc);
        cc.arg(&source).arg(&built.file).arg("-o").arg(&program).args([option, "-lpthread", "-ldl", "-lm"]);
        let output = run(cc.arg("-Wl,--gc-sections"));
        assert!(output.status.success(), "{cc:?}:\n{}", String::from_utf8_lossy(&output.stderr));
        let output = run(&mut command(&program));
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"1000\n".as_slice()), "{output:?}");
    }
}

/// Every linker's words for what it misses hold the name of what misses it.
#[test]
fn without_the_fragment_the_linker_names_the_remedy() {
    if tool::skip_sanitized("a program of C") {
        return;
    }
    let built =
        Fixture::new(env!("CARGO_TARGET_TMPDIR"), "archive", "archive").variable("PERCPU_LINK", "script").build();
    let Some(cc) = tool::require("cc") else { return };
    for [linker, options @ ..] in
        [["", "-fuse-ld=lld", &lld()], ["ld.bfd", "-fuse-ld=bfd", ""], ["mold", "-fuse-ld=mold", ""]]
    {
        if !linker.is_empty() && tool::require(linker).is_none() {
            continue;
        }
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("archive-without-{linker}"));
        let source = program.with_extension("c");
        fs::write(&source, PROGRAM).expect("the target directory is writable");
        let mut cc = Command::new(&cc);
        cc.arg(&source).arg(&built.file).arg("-o").arg(&program).args(["-lpthread", "-ldl", "-lm"]);
        cc.args(options.iter().filter(|option| !option.is_empty()));
        let output = run(&mut cc);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{cc:?} links");
        let words = "percpu_x_is_not_linked__add_it_or_build_with_PERCPU_LINK_section";
        assert!(text.contains(words), "{cc:?}: no {words} in:\n{text}");
    }
}

#[test]
fn an_earlier_constructor_of_c_dies() {
    for release in [false, true] {
        let Some(program) = link(release, &["-DEARLY"]) else { return };
        let output = run(&mut command(&program));
        assert_eq!(output.status.signal(), Some(BEFORE_SET_UP), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}
