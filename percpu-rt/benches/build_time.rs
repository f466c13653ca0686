//! How long do 1,000 per-CPU statics take to build, next to 1,000 plain ones?
//!
//! Fairness: generated programs of one shape, in which every variable is incremented once and, in one of them, summed
//! up once. The plain ones have no dependency at all, so that loading the macro and linking the runtime counts against
//! the others. Dependencies are built before. Incremental compilation is off: it would find nothing to do.

mod harness;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{env, fs, io};

use harness::{Session, median_and_min};

/// Variables in a program.
const VARIABLES: usize = 1000;

/// Builds of each program in each profile; odd.
const ROUNDS: usize = 7;

/// At most this many times the time of the plain program.
const LIMIT: f64 = 2.0;

/// A generated program. In the texts `V` stands for the variable and `N` for its number.
struct Program {
    name: &'static str,
    needs_runtime: bool,
    variable: &'static str,
    increment: &'static str,
    value: Option<&'static str>,
    /// The index of the plain program of the same shape.
    plain: usize,
}

const ATOMIC: &str = "static V: AtomicU64 = AtomicU64::new(N);";
const PER_CPU: &str = "#[percpu_rt::per_cpu] static V: u64 = N;";
const PROGRAMS: [Program; 4] = [
    Program {
        name: "plain, increment",
        needs_runtime: false,
        variable: ATOMIC,
        increment: "V.fetch_add(1, Relaxed);",
        value: None,
        plain: 0,
    },
    Program {
        name: "per-CPU, increment",
        needs_runtime: true,
        variable: PER_CPU,
        increment: "V.inc();",
        value: None,
        plain: 0,
    },
    Program {
        name: "plain, increment and load",
        needs_runtime: false,
        variable: ATOMIC,
        increment: "V.fetch_add(1, Relaxed);",
        value: Some("V.load(Relaxed)"),
        plain: 2,
    },
    Program {
        name: "per-CPU, increment and sum",
        needs_runtime: true,
        variable: PER_CPU,
        increment: "V.inc();",
        value: Some("V.sum()"),
        plain: 2,
    },
];

impl Program {
    /// Writes the package into a folder of its own.
    fn write(&self, root: &Path) -> io::Result<PathBuf> {
        let package = self.name.replace([',', ' '], "-");
        let folder = root.join(&package);
        fs::create_dir_all(folder.join("src"))?;
        let mut manifest =
            format!("[workspace]\n[package]\nname = \"{package}\"\nedition = \"2024\"\n[dependencies]\n");
        if self.needs_runtime {
            manifest += concat!("percpu-rt.path = '", env!("CARGO_MANIFEST_DIR"), "'\n");
        }
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), self.source())?;
        Ok(folder)
    }

    fn source(&self) -> String {
        let each = |template: &str| -> String {
            (0..VARIABLES)
                .map(|n| template.replace('V', &format!("V{n}")).replace('N', &n.to_string()) + "\n")
                .collect()
        };
        let imports = "#[allow(unused)] use std::sync::atomic::{AtomicU64, Ordering::Relaxed};\n";
        let values = self.value.map(|value| each(&format!("total = total.wrapping_add({value});"))).unwrap_or_default();
        let increments = each(self.increment);
        let variables = each(self.variable);
        format!(
            "{imports}{variables}fn main() {{\nlet mut total = 1_u64;\n{increments}{values}total += 1;\nprintln!(\"{{total}}\");\n}}\n"
        )
    }
}

/// Builds the package in `folder`, in a target folder that all programs share; returns the seconds taken, without end
/// where the compiler gives up.
fn build(folder: &Path, profile: &str) -> f64 {
    // The one thing out of date is the program itself.
    let source = folder.join("src/main.rs");
    fs::write(&source, fs::read(&source).expect("was written above")).expect("was written above");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--offline", "--profile", profile]).current_dir(folder);
    // Why a program does not build, if it does not, `cargo build` in its folder tells.
    cargo.stderr(Stdio::null());
    cargo.env("CARGO_TARGET_DIR", folder.with_file_name("target")).env("CARGO_INCREMENTAL", "0");
    let start = Instant::now();
    let status = cargo.status().expect("cargo started this bench");
    if status.success() { start.elapsed().as_secs_f64() } else { f64::INFINITY }
}

fn main() -> ExitCode {
    let mut session = Session::start();
    if session.is_smoke() {
        return session.finish();
    }
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-time");
    let folders = PROGRAMS.map(|program| program.write(&root).expect("cargo's folder for temporary files is writable"));
    for profile in ["dev", "release"] {
        // The first builds include the dependencies, and do not count.
        folders.iter().for_each(|folder| _ = build(folder, profile));
        let mut seconds = PROGRAMS.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (folder, seconds) in folders.iter().zip(&mut seconds) {
                seconds.push(build(folder, profile));
            }
        }
        let figures = seconds.map(median_and_min);
        println!("\n{VARIABLES} variables, profile {profile}: seconds, {ROUNDS} rounds");
        println!("  {:30}{:>9}{:>9}{:>9}", "", "median", "min", "× plain");
        for (program, (median, min)) in PROGRAMS.iter().zip(figures) {
            println!("  {:30}{median:9.2}{min:9.2}{:9.2}", program.name, median / figures[program.plain].0);
        }
        for (program, (median, _)) in PROGRAMS.iter().zip(figures).filter(|(program, _)| program.needs_runtime) {
            let what = format!("{profile}, {}: times plain", program.name);
            session.at_most(&what, median / figures[program.plain].0, LIMIT);
        }
    }
    session.finish()
}
