//! `percpu-replay` on a trace that is made here: what it tells, and that the allocator keeps its bars on memory.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use percpu_tests::random::Random;
use serde_json::Value;

/// A kernel's life in small: subsystems that come with some counters and structures each, live for a while, and go.
fn trace(subsystems: u64) -> String {
    /// Sizes and alignments of one, as of a network device and its tables.
    const OBJECTS: [(usize, usize); 10] =
        [(4, 4), (8, 8), (8, 8), (16, 8), (24, 8), (40, 8), (64, 64), (256, 8), (304, 8), (2048, 64)];
    let mut random = Random::new(1);
    let mut text = String::new();
    let mut live = VecDeque::new();
    let mut id = 0_u64;
    for subsystem in 0..subsystems {
        let mut own = Vec::new();
        for (size, align) in OBJECTS {
            for _ in 0..=random.below(8) {
                let atomic = usize::from(size < 64 && random.below(20) == 0);
                writeln!(text, "a {id} {size} {align} {atomic}").expect("a string");
                own.push(id);
                id += 1;
            }
        }
        live.push_back(own);
        // Phases of growth and of decline.
        let most = if subsystem / 100 % 2 == 0 { 200 } else { 60 };
        while live.len() > most {
            let index = random.below(live.len());
            for id in live.remove(index).expect("one of them") {
                writeln!(text, "f {id}").expect("a string");
            }
        }
    }
    text
}

fn write(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("a temporary file");
    path
}

fn program(arguments: &[&str], files: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_percpu-replay"));
    command.args(arguments).args(files);
    command
}

fn replay(arguments: &[&str], files: &[&Path]) -> Output {
    program(arguments, files).output().expect("the program runs")
}

/// The only report in JSON.
fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    let reports: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(reports.as_array().map(Vec::len), Some(1), "{reports}");
    reports[0].clone()
}

#[test]
fn memory_stays_within_its_bars() {
    let text = trace(2000);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).expect("memory");
    let plain = write("plain.trace", text.as_bytes());
    let packed = write("packed.trace.gz", &packed.finish().expect("memory"));
    let output = replay(&["--verify", "--format", "json", "--passes", "5", "--cpus", "3"], &[&plain, &packed]);
    assert!(output.status.success(), "{output:?}");
    let Value::Array(reports) = serde_json::from_slice(&output.stdout).expect("JSON") else { panic!("a list") };
    assert_eq!(reports.len(), 2);
    for (report, name) in reports.iter().zip(["plain", "packed"]) {
        let number = |key: &str| report[key].as_f64().unwrap_or_else(|| panic!("{key} is no number: {report}"));
        assert_eq!(report["trace"], name);
        let lines = text.lines().count() as f64;
        assert_eq!((number("events"), number("allocs") + number("frees")), (lines, lines));
        assert_eq!(number("failures"), 0.0);
        println!("overhead {}, {} populates", number("overhead"), number("populates"));
        assert!((1.0..=1.4).contains(&number("overhead")), "{report}");
        assert!(number("populates") * 1000.0 / lines <= 10.0, "{report}");
        assert!(number("metadata_peak_bytes") <= 32.0 * 1024.0 + number("peak_populated_bytes") * 0.08, "{report}");
        assert!(number("peak_populated_bytes") >= number("peak_live_bytes"));
        assert!(number("after_peak_overhead") >= 1.0 && number("depopulates") > 0.0 && number("chunks_peak") > 0.0);
        assert!(number("lock_ns") > 0.0);
        for times in [&report["alloc_ns"], &report["free_ns"]] {
            for key in ["avg", "p50", "p99", "max"] {
                assert!(times[key].is_number(), "{key} of {times}");
            }
        }
    }
}

#[test]
fn a_wrong_line_is_named() {
    for (text, expected) in [
        ("a 1 8 8 0\nx\n", "line 2 is no event"),
        ("a 1 8 8 0\na 1 8 8 0\n", "line 2 allocates 1"),
        ("f 7\n", "line 1 frees 7"),
    ] {
        let output = replay(&[], &[&write("wrong.trace", text.as_bytes())]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(expected), "{text:?}: {errors}");
    }
    let output = replay(&[], &[Path::new("no-such.trace")]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such.trace"), "{output:?}");
}

#[test]
fn what_is_asked_for_wrongly_is_a_failure() {
    let trace = write("refused.trace", b"a 1 0 8 0\na 2 8 3 0\na 3 8 8192 1\na 4 8 8 0\nf 1\n");
    for arguments in [&["--format", "json"][..], &["--format", "json", "--verify"]] {
        assert_eq!(report(&replay(arguments, &[&trace]))["failures"], 3, "{arguments:?}");
    }
}

#[test]
fn a_wrong_file_is_told_before_any_replay() {
    let output = replay(&["--verify"], &[&write("good.trace", b"a 1 8 8 0\n"), Path::new("no-such.trace")]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && !errors.contains("verified"), "{output:?}");
}

#[test]
fn nothing_live_has_no_overhead() {
    for (name, text) in [("empty.trace", ""), ("nothing.trace", "a 1 0 8 0\n")] {
        let trace = write(name, text.as_bytes());
        let report = report(&replay(&["--format", "json"], &[&trace]));
        assert_eq!((&report["overhead"], &report["after_peak_overhead"]), (&0.0.into(), &0.0.into()), "{report}");
        let output = replay(&[], &[&trace]);
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.contains("overhead 0.000, after the peak 0.000"), "{told}");
        assert!(!told.contains("NaN") && !told.contains("inf"), "{told}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_no_panic() {
    /// The signal that a closed pipe sends to who has not ignored it.
    const SIGPIPE: i32 = 13;
    let trace = write("unwritten.trace", b"a 1 8 8 0\n");
    for format in ["text", "json"] {
        let mut command = program(&["--format", format], &[&trace]);
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().expect("the program runs");
        let ended = output.status.success() || output.status.signal() == Some(SIGPIPE);
        assert!(ended && output.stderr.is_empty(), "{output:?}");

        let full = File::options().write(true).open("/dev/full").expect("the device");
        let output = command.stdout(full).output().expect("the program runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.starts_with("percpu-replay: ") && errors.lines().count() == 1, "{errors}");
    }
}

#[test]
fn a_dash_is_standard_input() {
    let trace = write("piped.trace", b"a 1 8 8 0\nf 1\n");
    let mut command = program(&["--format", "json", "-"], &[]);
    let output = command.stdin(File::open(trace).expect("the trace")).output().expect("the program runs");
    assert_eq!(report(&output)["events"], 2);
    assert!(String::from_utf8_lossy(&replay(&["--help"], &[]).stdout).contains("standard input"));
}
