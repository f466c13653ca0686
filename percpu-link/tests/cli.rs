//! The command line as a shell sees it: output, errors and exit status of both binaries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

#[allow(dead_code, reason = "shared with the tests of the reader")]
mod fixture;
#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use fixture::{Elf, Section, data, object, zeros};
use tools::{cargo_tool, output, succeed, tool};

/// A directory with the images that a test asks for.
struct Room(TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(self, name: &str, bytes: &[u8]) -> Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// Our binary in this directory.
    fn tool(&self, args: &str) -> Command {
        let mut command = tool(&args.split_whitespace().collect::<Vec<_>>());
        command.current_dir(self.0.path());
        command
    }
}

fn images() -> Room {
    let without = Elf::kernel(vec![data(".text", 0, 16, 16)], vec![object("f", 1, 0, 8)]);
    Room::new().with("small", &Elf::small().bytes()).with("without", &without.bytes()).with("text", b"not an image\n")
}

#[test]
fn a_report_is_a_table() {
    let (stdout, stderr) = output(&mut images().tool("report small"), 0);
    let expected = "\
small: x86_64, kernel
  section .data..percpu at 0x2000, 32 bytes, aligned to 16
  smallest unit 40960 bytes: static 32, reserved 8192, dynamic 32736

    offset     size  align cache line  class           variable
       0x0        8      8          0  plain           first
       0x8        8                 0  (hole)
      0x10        4      4          0  plain           second
      0x14       12                 0  (hole)
2 variables, 20 bytes in 2 holes
";
    assert_eq!(stdout, expected);
    assert_eq!(stderr, "");
}

#[test]
fn a_report_is_an_object_with_these_keys() {
    let (stdout, _) = output(&mut images().tool("report small --format json"), 0);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&report),
        "dyn_size file findings holes machine max_align mode reserved_size section static_size unit_size variables \
         version"
    );
    assert_eq!(report["version"], 1);
    assert_eq!(keys(&report["section"]), "address align name size");
    assert_eq!(keys(&report["variables"][0]), "align class crate file line name offset size type");
    assert_eq!(keys(&report["holes"][0]), "offset size");
    assert_eq!(report["variables"][1]["offset"], 16);
    assert_eq!(report["variables"][0]["class"], "plain");
    assert_eq!(report["variables"][0]["type"], Value::Null);

    let stripped = images().with("stripped", &Elf { symbols: vec![], ..Elf::small() }.bytes());
    let (stdout, _) = output(&mut stripped.tool("report --format=json stripped"), 0);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(keys(&report["findings"][0]), "code help message severity variable");
}

#[test]
fn several_files_are_several_objects() {
    let room = images();
    let (stdout, stderr) = output(&mut room.tool("report --format json small text small without -- small"), 1);
    let objects: Vec<Value> = serde_json::Deserializer::from_str(&stdout).into_iter().map(Result::unwrap).collect();
    assert_eq!(objects.len(), 3);
    let errors: Vec<_> = stderr.lines().collect();
    assert_eq!(errors.len(), 2, "{stderr}");
    assert!(errors[0].starts_with("error: text: not an ELF image; "), "{stderr}");
    assert!(errors[1].starts_with("error: without: no per-CPU section; "), "{stderr}");
    // The first failure decides.
    output(&mut room.tool("report without text"), 4);
}

#[test]
fn what_is_no_image_is_named_with_a_remedy() {
    let mut damaged = Elf::small().bytes();
    damaged.truncate(200);
    let room = images().with("damaged", &damaged).with("empty", b"");
    fs::create_dir(room.path("folder")).unwrap();
    for (file, status, message) in [
        ("missing", 1, "no such file or directory; check"),
        ("folder", 1, "not a regular file; name"),
        ("/dev/zero", 1, "not a regular file; name"),
        ("text", 1, "not an ELF image; name"),
        ("empty", 1, "not an ELF image; name"),
        ("damaged", 1, "damaged ELF image ("),
        ("without", 4, "no per-CPU section; declare a variable with `#[per_cpu]`"),
    ] {
        let (stdout, stderr) = output(room.tool("report").arg(file), status);
        assert_eq!(stdout, "");
        assert!(stderr.starts_with(&format!("error: {file}: {message}")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_is_refused_without_waiting_for_a_writer() {
    let room = Room::new();
    if succeed(Command::new("mkfifo").arg(room.path("fifo"))).is_some() {
        let (_, stderr) = output(&mut room.tool("report fifo"), 1);
        assert!(stderr.contains("not a regular file"), "{stderr}");
    }
}

#[test]
#[cfg(unix)]
fn an_unreadable_file_is_an_error() {
    use std::os::unix::fs::PermissionsExt;

    let room = images();
    fs::set_permissions(room.path("small"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(room.path("small")).is_ok() {
        eprintln!("skipped: this user reads every file");
        return;
    }
    let (_, stderr) = output(&mut room.tool("report small"), 1);
    assert!(stderr.contains("permission denied; check"), "{stderr}");
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let room = images();
    for args in ["report small", "report small --format json", "layout --static 1 --cpus 4", "--help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (_, stderr) = output(room.tool(args).stdout(writer), 0);
        assert_eq!(stderr, "", "{args}");
    }
}

#[test]
#[cfg(unix)]
fn claims_of_a_damaged_file_reserve_no_memory() {
    if std::env::var_os("PERCPU_SANITIZED").is_some_and(|value| value == "1") {
        eprintln!("skipped: a sanitizer takes more address space than the limit of this test");
        return;
    }
    // The tool gets 256 MiB of address space, and files that claim up to 2^64 bytes.
    let huge = |name, size: u64| Section { size, ..data(name, 0x2000, 32, 1) };
    let claims = [
        Elf::kernel(vec![huge(".data..percpu", u64::MAX)], vec![object("v", 1, 0, 8)]),
        Elf::kernel(vec![huge(".debug_info", 1 << 40), data(".data..percpu", 0, 8, 8)], vec![object("v", 2, 0, 8)]),
        Elf::kernel(vec![zeros(".data..percpu", u64::MAX - 64, 64, 1 << 63)], vec![object("v", 1, 0, u64::MAX)]),
    ];
    let mut files: Vec<_> = claims.iter().map(Elf::bytes).collect();
    let mut sections = Elf::small().bytes();
    // `e_shnum` of zero moves the count to the first section header, which claims 2^32 - 1.
    sections[60..62].copy_from_slice(&[0; 2]);
    let headers = u64::from_le_bytes(sections[40..48].try_into().unwrap()) as usize;
    sections[headers + 32..headers + 40].copy_from_slice(&u64::from(u32::MAX).to_le_bytes());
    files.push(sections);
    for (number, bytes) in files.iter().enumerate() {
        let room = Room::new().with("image", bytes);
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -v 262144; exec \"$0\" report image", env!("CARGO_BIN_EXE_percpu-link")]);
        let status = if number == 2 { 0 } else { 1 };
        output(shell.current_dir(room.0.path()), status);
    }
}

#[test]
fn colours_follow_option_and_environment() {
    let is_coloured = |args: &str, variables: &[(&str, &str)]| {
        let room = images();
        let (stdout, stderr) = output(room.tool(args).envs(variables.iter().copied()), 1);
        assert_eq!(stdout.contains('\x1b'), stderr.contains('\x1b'), "both streams or none");
        stdout.contains('\x1b')
    };
    assert!(!is_coloured("report small text", &[]), "a pipe");
    assert!(is_coloured("report small text --color always", &[("NO_COLOR", "1")]));
    assert!(is_coloured("report small text", &[("CARGO_TERM_COLOR", "always")]));
    assert!(!is_coloured("report small text", &[("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")]));
    assert!(!is_coloured("--color never report small text", &[("CARGO_TERM_COLOR", "always")]));
}

#[test]
fn usage_errors_end_with_one_and_help_with_zero() {
    let room = images();
    for args in [
        "",
        "bogus",
        "report --format yaml small",
        "report --format",
        "report --release -- small",
        "check --max-static x small",
        "check --deny nothing small",
        "check --release -- small",
        "patch",
        "patch --cpus 0 small",
        "layout",
        "layout --static x --cpus 1",
        "layout --static 1 --cpus 0",
        "layout --static 1 --cpus 2 --nodes 3",
        "layout --static 1 --cpus 2 --nodes 0",
        "layout --static 1 --cpus 9000",
        "layout --static 1 --cpus 1 --page 1000",
        "layout --static 1 --cpus 1 --atom 0",
        "layout --static 0xffffffffffffffff --cpus 1",
        "layout --static 1 --cpus 1 -- 2",
    ] {
        let (stdout, stderr) = output(&mut room.tool(args), 1);
        assert_eq!(stdout, "", "{args}");
        assert!(!stderr.is_empty(), "{args}");
    }
    let (help, _) = output(&mut room.tool("--help"), 0);
    for word in ["build", "run", "test", "bench", "report", "check", "patch", "layout", "Examples:", "Exit status:"] {
        assert!(help.contains(word), "{word} in {help}");
    }
    for command in ["build", "run", "test", "bench", "report", "check", "patch", "layout"] {
        let (help, _) = output(room.tool(command).arg("--help"), 0);
        assert!(help.contains("Examples:"), "{help}");
    }
    let (version, _) = output(&mut room.tool("--version"), 0);
    assert_eq!(version.trim(), format!("percpu-link {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_layout_reads_as_linux_logs_it() {
    let line = "layout --static 192512 --cpus 12";
    let expected = "\
12 cpus in 1 group: 16 units of 262144 bytes, 8 in an allocation of 2097152 bytes, 4194304 bytes in all
pcpu-alloc: s192512 r8192 d28672 u262144 alloc=1*2097152
pcpu-alloc: [0] 00 01 02 03 04 05 06 07
pcpu-alloc: [0] 08 09 10 11 -- -- -- --
";
    assert_eq!(output(&mut Room::new().tool(line), 0).0, expected);

    let line = "layout --static 188K --reserved 0x2000 --dyn 28K --atom 2M --page 4096 --cpus 6 --nodes 3 --interleave";
    let (stdout, _) = output(Room::new().tool(line).args(["--format", "json"]), 0);
    let expected = serde_json::json!({
        "version": 1,
        "unit_size": 1_048_576,
        "alloc_size": 2_097_152,
        "upa": 2,
        "nr_groups": 3,
        "nr_units": 6,
        "dyn_size": 28_672,
        "groups": [
            { "node": 0, "cpus": [0, 3] },
            { "node": 1, "cpus": [1, 4] },
            { "node": 2, "cpus": [2, 5] },
        ],
        "unit_offsets": [0, 2_097_152, 4_194_304, 1_048_576, 3_145_728, 5_242_880],
    });
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), expected);
}

/// A package whose linker script keeps `.data..percpu`, and which ends with the status that it is told.
fn package(room: &Room, variables: &str) {
    let manifest = "[package]\nname = \"app\"\nedition = \"2024\"\n[workspace]\n";
    let build = r#"fn main() {
        let script = std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("percpu.ld");
        std::fs::write(&script, "SECTIONS { .data..percpu : { *(.data..percpu) } } INSERT BEFORE .bss;").unwrap();
        println!("cargo:rustc-link-arg=-Wl,-T,{}", script.display());
    }"#;
    let main = r#"
        fn main() {
            let args: Vec<String> = std::env::args().skip(1).collect();
            println!("args {args:?}");
            std::process::exit(args.first().map_or(0, |code| code.parse().unwrap()));
        }
        #[test]
        fn passes() {}
    "#;
    fs::create_dir_all(room.path("src")).unwrap();
    for (name, text) in
        [("Cargo.toml", manifest), ("build.rs", build), ("src/main.rs", &format!("{variables}\n{main}"))]
    {
        fs::write(room.path(name), text).unwrap();
    }
}

const VARIABLES: &str = "
    #[unsafe(link_section = \".data..percpu\")]
    #[used]
    static HITS: [u64; 2] = [7; 2];
";

impl Room {
    /// The subcommand of cargo in this directory.
    fn cargo(&self, args: &str) -> Command {
        let mut command = cargo_tool(&args.split_whitespace().collect::<Vec<_>>());
        command.current_dir(self.0.path());
        command.env("CARGO_TARGET_DIR", self.path("target"));
        command
    }
}

#[test]
fn cargo_builds_runs_and_tests_with_a_line_an_image() {
    let room = Room::new();
    package(&room, VARIABLES);
    let status = "     per-CPU app: 1 variable, static size 16, smallest unit 40960\n";

    let (stdout, stderr) = output(&mut room.cargo("percpu-link build"), 0);
    assert_eq!(stdout, "");
    assert!(stderr.contains(status), "{stderr}");
    let (stdout, stderr) = output(&mut room.cargo("percpu-link run -- 7 --help"), 7);
    assert_eq!(stdout, "args [\"7\", \"--help\"]\n");
    assert!(stderr.contains(status), "{stderr}");
    assert!(!stderr.contains("Compiling"), "nothing is built twice: {stderr}");
    // A shell calls the binary without the name of the subcommand.
    let (stdout, stderr) = output(&mut room.cargo("run -q --color never"), 0);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("args []\n", ""));
    let (stdout, stderr) = output(&mut room.cargo("percpu-link test passes"), 0);
    assert!(stdout.contains("test passes ... ok"), "{stdout}");
    assert!(stderr.contains(status), "{stderr}");
    output(&mut room.cargo("percpu-link test --no-run"), 0);

    let (stdout, _) = output(&mut room.cargo("percpu-link report --format json"), 0);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let file = Path::new(report["file"].as_str().unwrap());
    assert_eq!(file.file_name(), Some("app".as_ref()));
    assert_eq!(report["mode"], "hosted");
    assert_eq!(report["variables"][0]["name"], "app::HITS");
    let (stdout, _) = output(&mut room.cargo("percpu-link report --bin app --format text"), 0);
    assert!(stdout.contains("app::HITS"), "{stdout}");
}

#[test]
fn cargo_failures_keep_their_status() {
    let room = Room::new();
    package(&room, "");
    // No per-CPU variables are no error where something is built or run, and one where they are asked for.
    let (_, stderr) = output(&mut room.cargo("percpu-link run"), 0);
    assert!(!stderr.contains("per-CPU"), "{stderr}");
    let (_, stderr) = output(&mut room.cargo("percpu-link report"), 4);
    assert!(stderr.contains("error: no built image has a per-CPU section; "), "{stderr}");

    for (args, message) in [
        ("percpu-link build --no-such-flag", "unexpected argument '--no-such-flag'"),
        ("percpu-link build -- 1", "`build` runs no program"),
    ] {
        let (_, stderr) = output(&mut room.cargo(args), 1);
        assert!(stderr.contains(message), "{stderr}");
    }
    let (_, stderr) = output(room.cargo("percpu-link build").env("CARGO", room.path("no-cargo")), 1);
    assert!(stderr.contains("no-cargo: no such file or directory; set CARGO"), "{stderr}");

    fs::write(room.path("src/main.rs"), "fn main() { broken }").unwrap();
    for command in ["build", "run", "test", "bench", "report"] {
        let (stdout, stderr) = output(&mut room.cargo(command), 101);
        assert_eq!(stdout, "");
        assert!(stderr.contains("cannot find value `broken`"), "{stderr}");
    }
}
