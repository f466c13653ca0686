//! Images that compilers and linkers made: names, types and places as their debug information has them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use percpu_link::model::{Mode, Report, Variable};
use percpu_rt::abi::class::Class;
use percpu_rt::abi::symbol;
use tempfile::TempDir;

#[allow(dead_code, reason = "shared with other tests")]
mod tools;

/// Compiles `source` with `program` and reports on the result; none where the program is missing.
fn report(program: &OsStr, source_name: &str, source: &str, flags: &[&str]) -> Option<(Report, TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { dir.path().join(name) };
    std::fs::write(path("percpu.ld"), tools::script()).unwrap();
    std::fs::write(path(source_name), source).unwrap();
    let mut command = Command::new(program);
    command.args(flags).args(["-g", "-o", "image", source_name]).current_dir(dir.path());
    tools::succeed(&mut command)?;
    Some((percpu_link::report(&path("image")).unwrap(), dir))
}

#[track_caller]
fn variable<'a>(report: &'a Report, name: &str) -> &'a Variable {
    let found = report.variables.iter().find(|variable| variable.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#?}"))
}

const C: &str = r#"
#define PER_CPU(class) __attribute__((used, section(".data..percpu" class)))
typedef unsigned long count_t;
struct queue { int length; char pad[60]; };
extern count_t declared;
PER_CPU("") count_t declared = 1;
PER_CPU("..hot.queues") struct queue queues[2][3] __attribute__((aligned(64)));
PER_CPU("") static int *pointer = 0;
PER_CPU("") volatile char const flag = 3;
PER_CPU("") int (*hook)(void) = 0;
static int next(void) { static PER_CPU("") int counter = 5; return counter++ + (pointer != 0); }
int ordinary = 7;
int main(void) { return next() + flag + ordinary; }
"#;

fn check_c(flags: &[&str]) {
    let script = ["-Wl,-T,percpu.ld"];
    let Some((report, dir)) = report("cc".as_ref(), "image.c", C, &[flags, &script].concat()) else { return };
    assert_eq!(report.mode, Mode::Hosted);
    assert_eq!(report.variables.len(), 6, "{report:#?}");
    for (name, type_name, size, align, class, line) in [
        ("declared", "count_t", 8, 8, Class::Plain, 6),
        ("queues", "queue[2][3]", 384, 64, Class::Hot, 7),
        ("pointer", "int *", 8, 8, Class::Plain, 8),
        ("flag", "volatile const char", 1, 1, Class::Plain, 9),
        ("hook", "function *", 8, 8, Class::Plain, 10),
    ] {
        let found = variable(&report, name);
        let expected = Variable {
            name: name.into(),
            offset: found.offset,
            size,
            align,
            class,
            type_name: Some(type_name.into()),
            crate_name: None,
            file: Some(dir.path().canonicalize().unwrap().join("image.c").display().to_string()),
            line: Some(line),
        };
        assert_eq!(found, &expected, "{flags:?}");
    }
    let local = report.variables.iter().find(|variable| variable.name.starts_with("counter."));
    assert_eq!(local.and_then(|variable| variable.line), Some(11), "{flags:?}");
}

#[test]
fn c_is_described_by_both_versions_of_debug_information() {
    // The definition of `declared` leaves its type to the declaration.
    check_c(&["-gdwarf-4"]);
    check_c(&["-gdwarf-5", "-O2"]);
}

#[test]
fn c_is_described_across_units() {
    // Link-time optimization leaves addresses in one unit, and names, types and lines in another.
    check_c(&["-flto", "-O1"]);
}

#[test]
fn without_debug_information_the_rest_is_there() {
    let flags = ["-g0", "-s", "-Wl,-T,percpu.ld"];
    let Some((stripped, _dir)) = report("cc".as_ref(), "image.c", C, &flags) else { return };
    assert!(stripped.variables.is_empty() && stripped.holes.is_empty());
    assert!(stripped.static_size >= 384 + 8 + 8 + 1 + 8 + 4);
    let codes: Vec<_> = stripped.findings.iter().map(|finding| finding.code.name()).collect();
    assert_eq!(codes, ["no-symbols"]);
}

#[test]
fn a_discarded_variable_does_not_lend_its_type() {
    // A template at address zero, where the linker also leaves what it has discarded.
    let source = r#"
        struct never { int x; } discarded = {1};
        __attribute__((section(".data..percpu"))) long kept = 1;
        int main(void) { return kept; }
    "#;
    let dir = tempfile::tempdir().unwrap();
    let script = "SECTIONS { .data..percpu 0 : { *(.data..percpu) } .text 0x10000 : { *(.text*) } \
                  .data 0x20000 : { *(.data .bss) } /DISCARD/ : { *(.eh_frame .note* .comment) } }";
    let file = dir.path().join("kernel.ld");
    std::fs::write(&file, script).unwrap();
    let linked = format!("-Wl,-T,{}", file.display());
    let flags =
        ["-nostdlib", "-static", "-ffreestanding", "-fdata-sections", "-Wl,--gc-sections", "-Wl,-e,main", &linked];
    let Some((report, _dir)) = report("cc".as_ref(), "image.c", source, &flags) else { return };
    assert_eq!(report.mode, Mode::Kernel);
    assert_eq!(report.section.address, 0);
    assert_eq!(variable(&report, "kept").type_name.as_deref(), Some("long int"));
}

/// What `#[per_cpu]` expands to, as far as names and types are concerned.
const RUST: &str = r#"
#![allow(dead_code, non_camel_case_types)]
mod place { pub trait Place { fn address() -> *const u8; } }
#[repr(transparent)]
pub struct Template<T, A = ()>(T, std::marker::PhantomData<A>);
macro_rules! define { ($section:literal $name:ident : $ty:ty = $value:expr) => {
    struct $name;
    const _: () = {
        impl crate::place::Place for $name {
            fn address() -> *const u8 {
                #[unsafe(link_section = $section)]
                static mut TEMPLATE_NAME: crate::Template<$ty> = crate::Template($value, std::marker::PhantomData);
                (&raw const TEMPLATE_NAME).cast()
            }
        }
    };
} }
define!(".data..percpu..hot.HITS" HITS: u64 = 7);
mod stats {
    use crate::place::Place;
    define!(".data..percpu.HITS" HITS: Option<&'static str> = None);
    pub fn address() -> *const u8 { HITS::address() }
}
mod more {
    use crate::place::Place;
    define!(".data..percpu.HITS" HITS: Option<&'static str> = Some("more"));
    pub fn address() -> *const u8 { HITS::address() }
}
fn local() -> *const u8 {
    use place::Place;
    define!(".data..percpu.L" L: [(u8, u32); 3] = [(1, 2); 3]);
    L::address()
}
#[unsafe(link_section = ".bss..percpu.ZEROS")]
#[used]
static mut ZEROS: [u64; 4] = [0; 4];
fn main() {
    use place::Place;
    println!("{:?} {:?} {:?} {:?}", HITS::address(), stats::address(), more::address(), local());
}
"#;

fn check_rust(flags: &[&str]) {
    let source = RUST.replace("TEMPLATE_NAME", symbol::TEMPLATE_SUFFIX.rsplit("::").next().unwrap());
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let common = ["--crate-name", "app", "--edition", "2024", "-C", "link-arg=-Wl,-T,percpu.ld"];
    let Some((report, _dir)) = report(&rustc, "app.rs", &source, &[flags, &common].concat()) else { return };
    assert_eq!(report.mode, Mode::Hosted);
    for (name, type_name, size, class) in [
        ("app::HITS", Some("u64"), 8, Class::Hot),
        ("app::stats::HITS", Some("core::option::Option<&str>"), 16, Class::Plain),
        ("app::more::HITS", Some("core::option::Option<&str>"), 16, Class::Plain),
        ("app::local::L", Some("[(u8, u32); 3]"), 24, Class::Plain),
        ("app::ZEROS", Some("u64[4]"), 32, Class::Zeroed),
    ] {
        let found = variable(&report, name);
        assert_eq!(found.type_name.as_deref(), type_name, "{name}, {flags:?}");
        assert_eq!((found.size, found.class), (size, class), "{name}, {flags:?}");
        assert_eq!(found.crate_name.as_deref(), Some("app"), "{name}, {flags:?}");
        let file = found.file.as_deref().map(Path::new);
        assert!(file.is_some_and(|file| file.ends_with("app.rs") && file.is_absolute()), "{name}: {file:?}");
    }
    assert_eq!(report.variables.len(), 5, "{report:#?}");
}

#[test]
fn rust_templates_are_named_by_their_variables() {
    check_rust(&[]);
    check_rust(&["-C", "symbol-mangling-version=v0", "-O"]);
    check_rust(&["-O", "-C", "lto=fat"]);
}

#[test]
fn no_change_of_debug_information_makes_the_reader_panic() {
    let source = r#"
        struct queue { int length; struct queue *next; };
        __attribute__((section(".data..percpu"))) struct queue queues[4];
        int main(void) { return queues[1].length; }
    "#;
    let flags = ["-nostdlib", "-static", "-ffreestanding", "-Wl,-e,main", "-Wl,-T,percpu.ld"];
    let Some((_report, dir)) = report("cc".as_ref(), "image.c", source, &flags) else { return };
    let path = dir.path().join("image");
    let image = std::fs::read(&path).unwrap();
    // Where the names of the debug sections are nobody reads; in front of them is what they hold.
    let from = find(&image, b"queues\0").saturating_sub(1024);
    // Xorshift: the same numbers on every machine.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    };
    for _ in 0..3_000 {
        let mut bytes = image.clone();
        for _ in 0..=next(4) {
            let at = from + next(bytes.len() - from);
            bytes[at] = [0, 0xff, 0x80, next(256) as u8][next(4)];
        }
        std::fs::write(&path, bytes).unwrap();
        let _ = percpu_link::report(&path);
    }
}

/// Where `needle` is first found.
fn find(bytes: &[u8], needle: &[u8]) -> usize {
    bytes.windows(needle.len()).position(|window| window == needle).unwrap()
}
