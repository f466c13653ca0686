//! What `cargo percpu-link build`, `run` and `test` do to programs with the runtime in them.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;

#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use tools::{cargo, cargo_tool, output, package, target};

const MAIN: &str = r#"
use percpu_rt::{per_cpu, unit_size};

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    HITS.inc();
    println!("{} {}", unit_size(), HITS.sum());
}
"#;

/// Runs the program that cargo has built, which other packages' tests do not see.
const TEST: &str = r#"
#[test]
fn the_program_is_patched() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_NAME")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "4294901760 1\n");
}
"#;

/// What 200 CPUs have for a unit.
const OF_200: &str = "4294901760 1\n";

/// A package of this name, whose manifest ends with `extra`.
fn new(name: &str, extra: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let test = TEST.replace("NAME", name);
    package(dir.path(), name, extra, &[("src/main.rs", MAIN), ("tests/it.rs", &test)]);
    dir
}

fn tool(dir: &TempDir, args: &str) -> Command {
    let args: Vec<&str> = args.split(' ').collect();
    let mut command = cargo_tool(&args);
    command.current_dir(dir.path()).env("CARGO_TARGET_DIR", target());
    command
}

fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_build_is_patched_and_stays_so() {
    let dir = new("stays", "[package.metadata.percpu]\nnr-cpus = 200\n");
    let (stdout, stderr) = output(&mut tool(&dir, "percpu-link build"), 0);
    assert_eq!(stdout, "");
    let status = "     per-CPU stays: 2 variables, static size 72, smallest unit 40960, laid out for 200 cpus in units of 4294901760\n";
    assert!(stderr.contains(status), "{stderr}");
    let patched = fs::read(built("stays")).unwrap();
    let time = modified(&built("stays"));
    // Cargo finds nothing to do, neither for the program nor for the tests that depend on it.
    output(cargo(dir.path()).args(["test", "--no-run"]), 0);
    for command in [&["build"][..], &["test", "--no-run"]] {
        let (messages, _) = output(cargo(dir.path()).args(command).arg("--message-format=json"), 0);
        let artifacts = artifacts(&messages);
        assert!(artifacts.iter().any(|artifact| artifact["target"]["name"] == "stays"), "{messages}");
        for artifact in artifacts {
            assert_eq!(artifact["fresh"], true, "{artifact}");
        }
    }
    assert_eq!(fs::read(built("stays")).unwrap(), patched);
    assert_eq!(modified(&built("stays")), time);
    assert_eq!(output(cargo(dir.path()).args(["run", "-q"]), 0).0, OF_200);
    // What cargo links anew is patched anew.
    fs::write(dir.path().join("src/main.rs"), format!("{MAIN}// changed\n")).unwrap();
    output(cargo(dir.path()).args(["build", "-q"]), 0);
    assert_eq!(output(&mut tool(&dir, "percpu-link run -q"), 0), (OF_200.into(), String::new()));
    // By hand, with the number that the manifest has where cargo calls the tool.
    let file = built("stays");
    let file = file.to_str().unwrap();
    let (stdout, _) = output(&mut tool(&dir, &format!("patch {file} --cpus 4")), 0);
    assert!(stdout.contains(": 4 cpus, 5 units"), "{stdout}");
    let (stdout, _) = output(tool(&dir, &format!("patch {file}")).env("CARGO", std::env::var_os("CARGO").unwrap()), 0);
    assert!(stdout.contains(": 200 cpus, 201 units"), "{stdout}");
}

#[test]
fn tests_run_on_patched_programs() {
    let dir = new("tested", "[workspace.metadata.percpu]\nnr-cpus = 200\n");
    let (stdout, stderr) = output(&mut tool(&dir, "percpu-link test"), 0);
    assert!(stdout.contains("test the_program_is_patched ... ok"), "{stdout}");
    assert!(stderr.contains("per-CPU tested: "), "{stderr}");
    // Patching the program made nothing stale that is linked after it.
    let (messages, _) = output(cargo(dir.path()).args(["test", "--no-run", "--message-format=json"]), 0);
    for artifact in artifacts(&messages) {
        assert_eq!(artifact["fresh"], true, "{artifact}");
    }
}

fn artifacts(messages: &str) -> Vec<Value> {
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    messages.filter(|message| message["reason"] == "compiler-artifact").collect()
}

#[test]
fn a_budget_stops_a_run() {
    let dir = new("budget", "[package.metadata.percpu]\nmax-static = 71\n");
    let (stdout, stderr) = output(&mut tool(&dir, "percpu-link run"), 3);
    assert_eq!(stdout, "");
    assert!(
        stderr.contains("error[over-budget]: the static size is 72 bytes, 1 more than `max-static` allows"),
        "{stderr}"
    );
    assert!(!stderr.contains("patched"), "{stderr}");
    let (stdout, _) = output(&mut tool(&dir, "percpu-link check"), 3);
    assert!(stdout.contains("error[over-budget]"), "{stdout}");
    output(&mut tool(&dir, "check --max-static 72"), 0);
    let (stdout, _) = output(&mut tool(&dir, "report"), 0);
    assert!(stdout.contains("error[over-budget]"), "{stdout}");
}

#[test]
fn settings_of_the_package_come_before_the_workspace() {
    let extra = "[package.metadata.percpu]\nmax-static = \"1K\"\ncacheline = 8\n\
                 [workspace.metadata.percpu]\nmax-static = 1\nmax-unit = 4096\n";
    let dir = new("merged", extra);
    let (stdout, _) = output(&mut tool(&dir, "percpu-link check --format json"), 3);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{stdout}");
    assert_eq!(report["findings"][0]["message"], "the unit size is 40960 bytes, 36864 more than `max-unit` allows");
    // The variable at offset 64 is in the ninth line of eight bytes.
    let (stdout, _) = output(&mut tool(&dir, "report"), 0);
    let line = stdout.lines().find(|line| line.contains("merged::HITS")).unwrap();
    assert_eq!(line.split_whitespace().take(4).collect::<Vec<_>>(), ["0x40", "8", "8", "8"]);

    let manifest = fs::read_to_string(dir.path().join("Cargo.toml")).unwrap();
    for (from, to, message) in [
        ("cacheline", "cashline", "[package.metadata.percpu] `cashline`: unknown key; there are max-static"),
        ("max-unit = 4096", "max-unit = true", "[workspace.metadata.percpu] `max-unit`: expected bytes"),
    ] {
        fs::write(dir.path().join("Cargo.toml"), manifest.replace(from, to)).unwrap();
        for command in ["build", "check", "report"] {
            let (_, stderr) = output(&mut tool(&dir, command), 1);
            let origin = dir.path().join("Cargo.toml");
            assert!(stderr.contains(&format!("error: {}: {message}", origin.display())), "{stderr}");
        }
    }
}

/// Cargo looks at several packages at a time, so the order of its messages varies.
fn sorted(messages: &str) -> Vec<&str> {
    let mut lines: Vec<_> = messages.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn messages_take_the_form_that_is_asked_for() {
    let dir = new("messages", "");
    fs::write(dir.path().join("src/main.rs"), format!("{MAIN}fn unused() {{}}\n")).unwrap();
    let (stdout, stderr) = output(&mut tool(&dir, "percpu-link run --message-format=json"), 0);
    let (program, messages): (Vec<_>, Vec<_>) = stdout.lines().partition(|line| !line.starts_with('{'));
    assert_eq!(program.len(), 1, "{stdout}");
    let messages: Vec<Value> = messages.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |reason| messages.iter().filter(|message| message["reason"] == reason).count();
    assert_eq!((count("build-finished"), count("compiler-message")), (1, 1), "{stdout}");
    assert!(stderr.contains("per-CPU messages: "), "{stderr}");
    // The same as cargo itself would write, now that nothing is left to build.
    let (ours, _) = output(&mut tool(&dir, "build --message-format json"), 0);
    let (cargos, _) = output(cargo(dir.path()).args(["build", "--message-format=json"]), 0);
    assert_eq!(sorted(&ours), sorted(&cargos));

    // Of what it need not compile again cargo repeats the messages in the form that they had.
    fs::write(dir.path().join("src/main.rs"), format!("{MAIN}fn unused() {{}}\n// changed\n")).unwrap();
    let (stdout, stderr) = output(&mut tool(&dir, "build --message-format=short"), 0);
    assert_eq!(stdout, "");
    assert!(stderr.contains("src/main.rs:11:4: warning: function `unused` is never used"), "{stderr}");
    fs::write(dir.path().join("src/main.rs"), format!("{MAIN}fn unused() {{}}\n// changed again\n")).unwrap();
    let (stdout, stderr) = output(&mut tool(&dir, "build --message-format human"), 0);
    assert_eq!(stdout, "");
    assert!(stderr.contains("--> src/main.rs:11:4"), "{stderr}");
    let (_, stderr) = output(&mut tool(&dir, "build --message-format=bogus"), 1);
    assert!(stderr.contains("bogus"), "{stderr}");
}

/// The example of the README, as it stands there.
fn readme_test() -> String {
    let readme = include_str!("../README.md");
    let (_, behind) = readme.split_once("```rust\n").unwrap();
    behind.split_once("```").unwrap().0.into()
}

#[test]
fn a_test_keeps_a_budget_with_nothing_installed() {
    let dev = format!("[dev-dependencies]\npercpu-link = {{ path = {:?} }}\n", env!("CARGO_MANIFEST_DIR"));
    let dir = new("kept", &dev);
    let test = readme_test();
    for (budget, status) in [("64 << 10", 0), ("7", 101)] {
        let test = test.replace("64 << 10", budget);
        fs::write(dir.path().join("src/main.rs"), format!("{MAIN}\n#[cfg(test)]\nmod tests {{\n{test}}}\n")).unwrap();
        let (stdout, _) = output(cargo(dir.path()).args(["test", "--bin", "kept", "budget"]), status);
        let is_told = stdout.contains("error[over-budget]: the static size is ");
        assert_eq!(is_told, status != 0, "{stdout}");
    }
}
