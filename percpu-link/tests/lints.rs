//! The lints on what compilers and linkers make of a fault, and of the same source without it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use percpu_link::model::{Code, Finding};
use percpu_link::{Error, Settings};
use percpu_rt::abi::class::FALLBACK;
use tempfile::TempDir;

#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use tools::{cc, lld, output, require, script, succeed, tool};

/// A list whose head points to itself, if `POINTER` is `&head`, among what only looks like it.
const LIST: &str = r#"
#define PER_CPU __attribute__((used, section(".data..percpu.list")))
struct list { struct list *next; long length; };
int ordinary = 1;
PER_CPU long first = 1;
PER_CPU struct list head = { POINTER, 3 };
PER_CPU int *elsewhere = &ordinary;
/* Not a template: this one may point where it likes. */
struct list *outside = &head;
__attribute__((constructor)) static void use(void) { ordinary += outside->length + *elsewhere + first; }
"#;

const PROGRAM: &str = "int main(void) { return 0; }\n";

fn list(pointer: &str, rest: &str) -> String {
    format!("{}{rest}", LIST.replace("POINTER", pointer))
}

fn findings(path: &Path) -> Vec<Finding> {
    percpu_link::check(path, &Settings::default()).unwrap().findings
}

/// Compiles the fault and its clean twin, and checks both.
#[track_caller]
fn check_list(linker: &[OsString], flags: &[&str], rest: &str, verb: &str) {
    let dir = tempfile::tempdir().unwrap();
    let flags: Vec<OsString> = linker.iter().cloned().chain(flags.iter().map(Into::into)).collect();
    let Some(fault) = cc(dir.path(), "fault", &list("&head", rest), &flags) else { return };
    let found = findings(&fault);
    assert_eq!(found.len(), 1, "{flags:?}: {found:?}");
    assert_eq!((found[0].code, found[0].variable.as_deref()), (Code::SelfReference, Some("head")), "{flags:?}");
    let message = format!("`head`, at offset 0x0 of the variable, {verb} to the template of `head`");
    assert!(found[0].message.starts_with(&message), "{flags:?}: {}", found[0].message);
    assert!(found[0].help.contains("#[per_cpu(init = f)]"), "{flags:?}: {}", found[0].help);
    let Some(clean) = cc(dir.path(), "clean", &list("0", rest), &flags) else { return };
    assert_eq!(findings(&clean), [], "{flags:?}");
    // Without symbols the pointer is found all the same, if not the variable.
    if succeed(Command::new("strip").arg("--strip-all").arg(&fault)).is_some() {
        let codes: Vec<_> = findings(&fault).iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::SelfReference, Code::NoSymbols], "{flags:?}");
    }
}

#[test]
fn self_reference_by_relocation() {
    let Some(lld) = lld() else { return };
    for linker in [&[][..], &lld] {
        check_list(linker, &["-fPIE", "-pie"], PROGRAM, "points");
        // Another object may take the place of the variable, so the relocation goes by the symbol.
        check_list(linker, &["-fPIC", "-shared"], "", "points");
    }
}

#[test]
fn self_reference_by_packed_relocation() {
    let Some(lld) = lld() else { return };
    check_list(&lld, &["-fPIE", "-pie", "-Wl,--pack-dyn-relocs=relr"], PROGRAM, "points");
    check_list(&lld, &["-fPIE", "-pie", "-Wl,-z,pack-relative-relocs"], PROGRAM, "points");
    check_list(&[], &["-fPIE", "-pie", "-Wl,-z,pack-relative-relocs"], PROGRAM, "points");
}

#[test]
fn self_reference_by_kept_relocation() {
    let Some(lld) = lld() else { return };
    for linker in [&[][..], &lld] {
        let dir = tempfile::tempdir().unwrap();
        let flags = ["-fno-pie", "-no-pie", "-Wl,--emit-relocs"].map(OsString::from);
        let flags = [linker, &flags].concat();
        let Some(fault) = cc(dir.path(), "fault", &list("&head", PROGRAM), &flags) else { return };
        let found = findings(&fault);
        assert_eq!(found.len(), 1, "{flags:?}: {found:?}");
        assert!(found[0].message.contains(" points to the template of `head`"), "{}", found[0].message);
        let Some(clean) = cc(dir.path(), "clean", &list("0", PROGRAM), &flags) else { return };
        assert_eq!(findings(&clean), [], "{flags:?}");
        // A number that looks like an address is none, since no relocation made it.
        let report = percpu_link::report(&clean).unwrap();
        let number = format!("(void *)({:#x})", report.section.address + 8);
        let Some(number) = cc(dir.path(), "number", &list(&number, PROGRAM), &flags) else { return };
        assert_eq!(percpu_link::report(&number).unwrap().section.address, report.section.address);
        assert_eq!(findings(&number), [], "{flags:?}");
    }
}

/// Plain numbers have no relocations of their own; that others are kept is enough to tell them from addresses.
#[test]
fn numbers_are_none_where_relocations_are_kept() {
    const NUMBERS: &str = r#"
__attribute__((used, section(".data..percpu.seed"))) unsigned long seed = SEED;
__attribute__((constructor)) static void use(void) { seed += 1; }
int main(void) { return 0; }
"#;
    let dir = tempfile::tempdir().unwrap();
    let fixed = ["-fno-pie", "-no-pie"];
    let kept = ["-fno-pie", "-no-pie", "-Wl,--emit-relocs"];
    for (flags, codes) in [(&fixed[..], &[Code::SelfReference][..]), (&kept, &[])] {
        let Some(probe) = cc(dir.path(), "probe", &NUMBERS.replace("SEED", "0"), flags) else { return };
        let start = percpu_link::report(&probe).unwrap().section.address;
        let seed = format!("{start:#x}");
        let Some(numbers) = cc(dir.path(), "numbers", &NUMBERS.replace("SEED", &seed), flags) else { return };
        assert_eq!(percpu_link::report(&numbers).unwrap().section.address, start);
        assert_eq!(findings(&numbers).iter().map(|finding| finding.code).collect::<Vec<_>>(), codes, "{flags:?}");
    }
}

/// The variable is said to hold numbers: that silences a look, and no relocation.
#[test]
fn a_number_that_looks_like_a_pointer_can_be_named() {
    let settings = Settings { not_pointers: vec!["head".into()], ..Settings::default() };
    let dir = tempfile::tempdir().unwrap();
    let Some(fixed) = cc(dir.path(), "fixed", &list("&head", PROGRAM), &["-fno-pie", "-no-pie"]) else { return };
    assert_eq!(percpu_link::check(&fixed, &settings).unwrap().findings, []);
    let others = Settings { not_pointers: vec!["first".into()], ..Settings::default() };
    assert_eq!(percpu_link::check(&fixed, &others).unwrap().findings.len(), 1);
    let file = fixed.to_str().unwrap();
    output(&mut tool(&["check", file]), 2);
    output(&mut tool(&["check", file, "--not-pointers", "head"]), 0);
    for flags in [&["-fPIE", "-pie"][..], &["-fno-pie", "-no-pie", "-Wl,--emit-relocs"]] {
        let Some(certain) = cc(dir.path(), "certain", &list("&head", PROGRAM), flags) else { return };
        assert_eq!(percpu_link::check(&certain, &settings).unwrap().findings.len(), 1, "{flags:?}");
    }
}

/// Templates where linkers other than LLD have them, with no script at all.
#[test]
fn self_reference_in_one_section() {
    let Some(lld) = lld() else { return };
    let mold = if require("mold") { vec!["-fuse-ld=mold".into()] } else { vec![] };
    for linker in [&[][..], &lld, &mold] {
        for (flags, verb) in [(["-fPIE", "-pie"], "points"), (["-fno-pie", "-no-pie"], "may point")] {
            let dir = tempfile::tempdir().unwrap();
            for (pointer, number) in [("&head", 1), ("0", 0)] {
                let source = list(pointer, PROGRAM).replace(".data..percpu.list", FALLBACK);
                fs::write(dir.path().join("image.c"), source).unwrap();
                let mut cc = Command::new("cc");
                cc.current_dir(dir.path()).args(linker).args(flags).args(["-o", "image", "image.c"]);
                if succeed(&mut cc).is_none() {
                    return;
                }
                let found = findings(&dir.path().join("image"));
                assert_eq!(found.len(), number, "{cc:?}: {found:?}");
                for finding in found {
                    let message = format!("`head`, at offset 0x0 of the variable, {verb} to the template of `head`");
                    assert!(finding.message.starts_with(&message), "{cc:?}: {}", finding.message);
                }
            }
        }
    }
}

#[test]
fn self_reference_by_value() {
    let Some(lld) = lld() else { return };
    for linker in [&[][..], &lld] {
        check_list(linker, &["-fno-pie", "-no-pie"], PROGRAM, "may point");
        check_list(linker, &["-fno-pie", "-static"], PROGRAM, "may point");
    }
}

/// What `#[per_cpu]` makes of a variable, with a template that the source can name.
const RUST: &str = r#"
#[repr(transparent)]
struct Links([*const u8; 2]);
unsafe impl Sync for Links {}
#[unsafe(link_section = ".data..percpu.LINKS")]
static LINKS: Links = Links([POINTER, std::ptr::null()]);
fn main() { println!("{:?}", LINKS.0); }
"#;

#[test]
fn self_reference_of_rust() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("percpu.ld"), script()).unwrap();
    for (name, pointer, number) in [("fault", "(&raw const LINKS.0[1]).cast()", 1), ("clean", "&raw const ORDINARY", 0)]
    {
        let source = RUST.replace("POINTER", pointer) + "static ORDINARY: u8 = 1;\n";
        let file = format!("{name}.rs");
        fs::write(dir.path().join(&file), source).unwrap();
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--edition", "2024", "-C", "link-arg=-Wl,-T,percpu.ld", &file]).current_dir(dir.path());
        if succeed(&mut rustc).is_none() {
            return;
        }
        let found = findings(&dir.path().join(name));
        assert_eq!(found.len(), number, "{found:?}");
        for finding in found {
            assert_eq!(finding.variable, Some(format!("{name}::LINKS")));
            assert!(finding.message.contains(&format!("points to the template of `{name}::LINKS`")));
        }
    }
}

const ANCHOR: &str = r#"
__attribute__((used, section(".data..percpu..first"))) long this_cpu_off = 0;
__attribute__((used, section(".data..percpu.hits"))) long hits = 0;
int main(void) { return 0; }
"#;

/// Compiles the anchor with a script of its own, or with none.
fn anchor(script: Option<&str>) -> Option<(TempDir, Result<Vec<Finding>, Error>)> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("image.c"), ANCHOR).unwrap();
    let mut cc = Command::new("cc");
    cc.current_dir(dir.path()).args(["-o", "image", "image.c"]);
    if let Some(script) = script {
        fs::write(dir.path().join("own.ld"), script).unwrap();
        cc.arg("-Wl,-T,own.ld");
    }
    succeed(&mut cc)?;
    let report = percpu_link::check(&dir.path().join("image"), &Settings::default());
    Some((dir, report.map(|report| report.findings)))
}

#[test]
fn templates_that_a_linker_takes_elsewhere_are_misplaced() {
    let is_clean = anchor(Some(&script()));
    let Some((_dir, found)) = is_clean else { return };
    assert_eq!(found.unwrap(), []);
    // Without a script every linker puts them among the ordinary variables.
    let Some((dir, found)) = anchor(None) else { return };
    let found = found.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code, found[0].variable.as_deref()), (Code::Misplaced, Some("this_cpu_off")));
    assert!(found[0].message.contains("lies in `.data`"), "{}", found[0].message);
    let (stdout, _) = output(tool(&["check", "image"]).current_dir(dir.path()), 2);
    assert!(stdout.starts_with("image: 0 variables, 1 finding\nerror[misplaced]: "), "{stdout}");
    // One that forgets a class.
    let forgets = "SECTIONS { .data..percpu : { __per_cpu_start = .; *(.data..percpu..first) __per_cpu_end = .; } \
                   .data..percpu.hits : { *(.data..percpu.hits) } } INSERT BEFORE .bss;";
    let Some((_dir, found)) = anchor(Some(forgets)) else { return };
    let found = found.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.starts_with("`.data..percpu.hits` is a section of its own"), "{}", found[0].message);
    // One whose boundary comes too early.
    let early = "SECTIONS { .data..percpu : { __per_cpu_start = .; *(.data..percpu..first) __per_cpu_end = .; \
                 *(.data..percpu.*) } } INSERT BEFORE .bss;";
    let Some((_dir, found)) = anchor(Some(early)) else { return };
    let found = found.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("is not enclosed by `__per_cpu_start` and `__per_cpu_end`"));
}

#[test]
fn the_command_ends_with_the_status_of_the_worst() {
    let dir = tempfile::tempdir().unwrap();
    let flags: [&str; 0] = [];
    let Some(_fault) = cc(dir.path(), "fault", &list("&head", PROGRAM), &flags) else { return };
    let Some(_clean) = cc(dir.path(), "clean", &list("0", PROGRAM), &flags) else { return };
    let run = |args: &[&str], status| output(tool(args).current_dir(dir.path()), status);
    let (stdout, _) = run(&["check", "clean"], 0);
    assert_eq!(stdout, "clean: 3 variables, 0 findings\n");
    let (stdout, stderr) = run(&["check", "fault"], 2);
    assert!(stdout.starts_with("fault: 3 variables, 1 finding\nerror[self-reference]: `head`"), "{stdout}");
    assert!(stdout.contains("\n  help: set the pointer in each copy"), "{stdout}");
    assert_eq!(stderr, "");
    run(&["check", "clean", "--max-static", "1K", "--max-unit", "1M"], 0);
    let (stdout, _) = run(&["check", "clean", "--max-static", "8"], 3);
    assert!(stdout.contains("error[over-budget]: the static size is"), "{stdout}");
    run(&["check", "clean", "--max-unit=8"], 3);
    run(&["check", "--max-static", "8", "fault"], 2);
    run(&["check", "clean", "missing", "fault"], 1);
    if succeed(Command::new("strip").arg("clean").current_dir(dir.path())).is_some() {
        let (stdout, _) = run(&["check", "clean"], 0);
        assert!(stdout.contains("note[no-symbols]"), "{stdout}");
        let (stdout, _) = run(&["check", "clean", "--deny", "no-symbols"], 2);
        assert!(stdout.contains("error[no-symbols]"), "{stdout}");
    }
    // A report shows the same, and is not in anybody's way.
    let (stdout, _) = run(&["report", "fault"], 0);
    assert!(stdout.contains("\nerror[self-reference]: `head`"), "{stdout}");
}
