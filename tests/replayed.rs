//! `percpu-replay` on a trace that is made here: what it tells, and that the allocator keeps its bars on memory.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

fn replay(arguments: &[&str], files: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_percpu-replay"));
    command.args(arguments).args(files).output().expect("the program runs")
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
