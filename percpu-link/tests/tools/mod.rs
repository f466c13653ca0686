//! The tools that tests on real images call, and what becomes of a test whose tool is missing.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use percpu_rt::abi::class::{self, Class};
use percpu_rt::abi::symbol;

/// Runs a program. Where it is missing the test is skipped with a message, or fails if tools are required.
pub(crate) fn run(command: &mut Command) -> Option<Output> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => Some(output),
        Err(error) => {
            let message = format!("{}: {error}", command.get_program().display());
            assert!(std::env::var_os("PERCPU_REQUIRE_TOOLS").is_none_or(|value| value != "1"), "{message}");
            eprintln!("skipped: {message}");
            None
        }
    }
}

/// Runs a program that has to succeed.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> Option<String> {
    let output = run(command)?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}\n{stderr}");
    Some(stdout.into_owned())
}

/// Our binary, free of what the environment says about colours and cargo.
pub(crate) fn tool(args: &[&str]) -> Command {
    clean(env!("CARGO_BIN_EXE_percpu-link"), args)
}

/// Our subcommand of cargo.
pub(crate) fn cargo_tool(args: &[&str]) -> Command {
    clean(env!("CARGO_BIN_EXE_cargo-percpu-link"), args)
}

fn clean(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    // Flags of our own build, for a sanitizer say, are not for what the tests build.
    for name in ["NO_COLOR", "CARGO_TERM_COLOR", "CLICOLOR_FORCE", "PERCPU_UNIT_SIZE", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// What a program of ours wrote, with the status that is expected of it.
#[track_caller]
pub(crate) fn output(command: &mut Command, status: i32) -> (String, String) {
    let Output { status: actual, stdout, stderr } = when_written(|| command.output());
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(actual.code(), Some(status), "{command:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

/// Starts a program that was written just now. If another test was starting a process meanwhile, that process may have it
/// open for a moment.
pub(crate) fn when_written<T>(mut start: impl FnMut() -> io::Result<T>) -> T {
    loop {
        match start() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            started => return started.unwrap(),
        }
    }
}

/// A script for any linker that keeps the templates in sections of their own.
pub(crate) fn script() -> String {
    format!(
        "SECTIONS {{\n\
         {data} : ALIGN(64) {{ {start} = .; {hot} = .; *({data}..hot.*) {plain} = .; *({data} {data}.*) }}\n\
         {bss} (NOLOAD) : {{ *({bss} {bss}.*) {end} = .; }}\n\
         }} INSERT BEFORE .bss;\n",
        data = class::DATA,
        bss = class::BSS,
        start = symbol::START,
        end = symbol::END,
        hot = Class::Hot.start_symbol(),
        plain = Class::Plain.start_symbol(),
    )
}

/// Compiles C in `dir` into `dir/NAME`, with the script and with `linker`'s flags.
#[track_caller]
pub(crate) fn cc(dir: &Path, name: &str, source: &str, flags: &[impl AsRef<OsStr>]) -> Option<PathBuf> {
    let (file, script_file) = (format!("{name}.c"), format!("{name}.ld"));
    fs::write(dir.join(&file), source).unwrap();
    fs::write(dir.join(&script_file), script()).unwrap();
    let mut command = Command::new("cc");
    command.current_dir(dir).args(flags).args(["-o", name, &file]).arg(format!("-Wl,-T,{script_file}"));
    succeed(&mut command)?;
    Some(dir.join(name))
}

/// Whether a program that others call is there.
pub(crate) fn require(program: &str) -> bool {
    run(Command::new(program).arg("--version")).is_some()
}

/// The flags with which `cc` calls the LLD that comes with Rust; none where there is none.
pub(crate) fn lld() -> Option<Vec<OsString>> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = succeed(Command::new(rustc).args(["--print", "sysroot"]))?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld");
    if !folder.exists() {
        assert!(std::env::var_os("PERCPU_REQUIRE_TOOLS").is_none_or(|value| value != "1"), "no {}", folder.display());
        eprintln!("skipped: no {}", folder.display());
        return None;
    }
    let mut search = OsString::from("-B");
    search.push(folder);
    Some(vec![search, "-fuse-ld=lld".into()])
}

/// Cargo in a package outside of the workspace, with the versions of the workspace's lock file.
pub(crate) fn cargo(package: &Path) -> Command {
    let mut command = clean(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()), &[]);
    command.current_dir(package).env("CARGO_TARGET_DIR", target());
    command
}

/// The build directory of such packages, so that the runtime is compiled once.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages")
}

/// Writes a package that depends on the runtime: a manifest with `extra` at its end, and its sources.
pub(crate) fn package(dir: &Path, name: &str, extra: &str, sources: &[(&str, &str)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n[dependencies]\npercpu-rt = {{ path = {:?} }}\n\
         [workspace]\n{extra}",
        root.join("percpu-rt")
    );
    fs::create_dir_all(dir.join("src")).unwrap();
    fs::create_dir_all(dir.join("tests")).unwrap();
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    for (path, text) in sources {
        fs::write(dir.join(path), text).unwrap();
    }
}

/// The program of `program.rs`, linked with a build-id and not patched.
///
/// It counts on several threads, then prints its unit size and what it has counted.
pub(crate) fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        eprintln!("skipped: the runtime needs no record elsewhere");
        return None;
    }
    Some(PROGRAM.get_or_init(|| build_program("program", "-Clink-arg=-Wl,--build-id")))
}

/// The same program by this name, built with `flags` for rustc.
pub(crate) fn build_program(name: &str, flags: &str) -> PathBuf {
    build_program_with(name, flags, &[])
}

/// The same, with more variables in cargo's environment.
pub(crate) fn build_program_with(name: &str, flags: &str, environment: &[(&str, &str)]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    package(&dir, name, "", &[("src/main.rs", include_str!("program.rs"))]);
    // Where a target is named the flags are not for build scripts and macros, which then are compiled once for all.
    let triple = "x86_64-unknown-linux-gnu";
    let mut cargo = cargo(&dir);
    cargo.args(["build", "--quiet", "--target", triple]).env("RUSTFLAGS", flags).envs(environment.iter().copied());
    output(&mut cargo, 0);
    target().join(triple).join("debug").join(name)
}

/// The total that [`program`] has to print.
pub(crate) const TOTAL: &str = "4000";

/// What [`program`], or a copy of it, prints: its unit size and its total.
#[track_caller]
pub(crate) fn run_program(path: &Path) -> (u64, String) {
    let (stdout, _) = output(&mut clean(path.to_str().unwrap(), &[]), 0);
    let (size, total) = stdout.trim().split_once(' ').expect("two words");
    (size.parse().unwrap(), total.into())
}
