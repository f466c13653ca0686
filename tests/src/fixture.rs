//! Programs built as a crate outside of this workspace builds them: no build script, no settings, cargo alone.
//!
//! The sources are the files in `fixtures/`. Their packages are written into the target directory, with this workspace's
//! lock file, so that building them needs no network.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, fs};

use serde_json::Value;

/// A generated package.
struct Package {
    name: &'static str,
    targets: &'static [Target],
    /// The packages beside it that it uses.
    depends_on: &'static [&'static str],
    /// Features of percpu-rt that are not on by default.
    features: &'static [&'static str],
}

/// A target of a package: a file in `fixtures/`.
struct Target {
    /// Its table in the manifest.
    table: &'static str,
    name: &'static str,
    /// The file, without `.rs`.
    source: &'static str,
    /// What the table says beside name and path.
    more: &'static str,
}

/// A program whose file has its name.
const fn program(name: &'static str) -> Target {
    Target { table: "[[bin]]", name, source: name, more: "" }
}

/// A library whose file has its name.
const fn library(name: &'static str, more: &'static str) -> Target {
    Target { table: "[lib]", name, source: name, more }
}

const PACKAGES: [Package; 9] = [
    Package {
        name: "programs",
        targets: &[program("counts"), program("early"), program("host"), program("padded"), program("unused")],
        depends_on: &[],
        features: &[],
    },
    Package { name: "library", targets: &[library("library", "")], depends_on: &[], features: &[] },
    Package { name: "sites", targets: &[program("sites")], depends_on: &["library"], features: &[] },
    Package {
        name: "archive",
        targets: &[library("archive", "crate-type = [\"staticlib\"]\n")],
        depends_on: &[],
        features: &[],
    },
    Package {
        name: "downstream",
        targets: &[
            library("downstream", ""),
            Target { table: "[[bin]]", name: "main", source: "downstream_main", more: "test = false\n" },
            Target { table: "[[test]]", name: "integration", source: "downstream_main", more: "" },
            Target { table: "[[bench]]", name: "measure", source: "downstream_main", more: "harness = false\n" },
        ],
        depends_on: &[],
        features: &[],
    },
    Package {
        name: "plugin",
        targets: &[library("plugin", "crate-type = [\"cdylib\"]\n")],
        depends_on: &["downstream"],
        features: &[],
    },
    Package {
        name: "exports",
        targets: &[library("exports", "crate-type = [\"dylib\"]\n")],
        depends_on: &[],
        features: &[],
    },
    Package { name: "checked", targets: &[program("mistakes")], depends_on: &[], features: &["checked"] },
    Package { name: "imports", targets: &[program("imports")], depends_on: &["exports"], features: &[] },
];

/// Has cargo tell in JSON what it built, and in words what is wrong.
const JSON: &str = "--message-format=json-render-diagnostics";

/// One of the programs in `fixtures/`, and how to build it.
#[derive(Debug, Clone)]
pub struct Fixture {
    folder: PathBuf,
    package: &'static str,
    target: &'static str,
    flags: Vec<String>,
    variables: Vec<[String; 2]>,
    profile: &'static str,
}

/// What came of a build.
#[derive(Debug)]
pub struct Built {
    /// The program, or the static library.
    pub file: PathBuf,
    /// Where percpu-rt's build script has put the linker fragment.
    pub fragment: PathBuf,
    /// percpu-rt, as other crates are compiled against it.
    pub runtime: PathBuf,
    /// percpu-macros, as rustc loads it.
    pub macros: PathBuf,
}

impl Fixture {
    /// The program `fixtures/TARGET.rs` of a package. `folder` is `env!("CARGO_TARGET_TMPDIR")`.
    #[must_use]
    pub fn new(folder: &str, package: &'static str, target: &'static str) -> Self {
        let mut fixture = Self {
            folder: Path::new(folder).join("fixtures"),
            package,
            target,
            flags: Vec::new(),
            variables: Vec::new(),
            profile: "dev",
        };
        if cfg!(percpu_backend = "generic") {
            fixture = fixture.flag("--cfg").flag("percpu_backend=\"generic\"");
        }
        fixture
    }

    /// With one more flag for rustc.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// With more flags for rustc.
    #[must_use]
    pub fn flags(self, flags: &[&str]) -> Self {
        flags.iter().fold(self, |fixture, flag| fixture.flag(flag))
    }

    /// With a variable in cargo's environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push([name, value].map(str::to_owned));
        self
    }

    /// Optimised, in 16 codegen units.
    #[must_use]
    pub fn release(self) -> Self {
        self.profile("release")
    }

    /// By this profile: `dev`, `release`, or `thin` or `fat` with link-time optimisation.
    #[must_use]
    pub fn profile(mut self, profile: &'static str) -> Self {
        self.profile = profile;
        self
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// What cargo said, where it failed.
    ///
    /// # Panics
    ///
    /// Where cargo does not run at all.
    pub fn try_build(&self) -> Result<Built, String> {
        let library = PACKAGES.iter().any(|package| {
            package.name == self.package && package.targets.iter().all(|target| target.table == "[lib]")
        });
        let which = if library { vec!["--lib"] } else { vec!["--bin", self.target] };
        let _alone = alone();
        let messages = self.cargo("build", &[&[JSON], which.as_slice()].concat())?;
        let artifact = |name: &str| {
            let artifact = messages.iter().find(|message| message["target"]["name"] == name);
            Path::new(artifact.and_then(|artifact| artifact["filenames"][0].as_str()).expect("cargo names the file"))
        };
        let runs = |message: &&Value| {
            let package = message["package_id"].as_str().unwrap_or_default();
            message["reason"] == "build-script-executed" && package.contains("percpu-rt")
        };
        let out = messages.iter().find(runs).and_then(|run| run["out_dir"].as_str()).expect("cargo names OUT_DIR");
        Ok(Built {
            file: self.keep(artifact(self.target)),
            fragment: Path::new(out).join("percpu.x"),
            runtime: artifact("percpu_rt").to_owned(),
            macros: artifact("percpu_macros").to_owned(),
        })
    }

    /// Builds the package's programs, integration tests and benches, and returns them.
    ///
    /// # Errors
    ///
    /// What cargo said, where it failed.
    ///
    /// # Panics
    ///
    /// Where cargo does not run at all.
    pub fn try_build_all(&self) -> Result<Vec<PathBuf>, String> {
        let package = PACKAGES.iter().find(|package| package.name == self.package).expect("one of the packages");
        let programs = package.targets.iter().filter(|target| target.table != "[lib]");
        let which = programs.flat_map(|target| {
            // `[[bin]]` is chosen by `--bin`.
            [format!("--{}", target.table.trim_matches(['[', ']'])), target.name.to_owned()]
        });
        let which: Vec<String> = [JSON.to_owned()].into_iter().chain(which).collect();
        let _alone = alone();
        let messages = self.cargo("build", &which.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(messages.iter().filter_map(|message| Some(self.keep(Path::new(message["executable"].as_str()?)))).collect())
    }

    /// Builds and runs the package's doctests, with the same flags.
    ///
    /// # Errors
    ///
    /// What cargo said, where it failed.
    ///
    /// # Panics
    ///
    /// Where cargo does not run at all.
    pub fn try_doctests(&self) -> Result<(), String> {
        let _alone = alone();
        self.cargo("test", &["--doc"]).map(drop)
    }

    /// Runs cargo on the package, and returns its messages.
    fn cargo(&self, command: &str, which: &[&str]) -> Result<Vec<Value>, String> {
        write_packages(&self.folder);
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut cargo = if self.flags.iter().any(|flag| flag.ends_with("=mold")) {
            // Should it not end after all, as mold 1.10 does now and then.
            let mut bounded = Command::new("timeout");
            bounded.arg(MOLD_SECONDS.to_string()).arg(cargo);
            bounded
        } else {
            Command::new(cargo)
        };
        cargo.current_dir(&self.folder).args([command, "--offline"]);
        // With a target the flags are kept from build scripts and macros, so these are built once for all flags.
        cargo.args(["--target", host().as_str(), "--target-dir"]).arg(self.folder.join("target"));
        cargo.args(["--package", self.package, "--profile", self.profile]).args(which);
        for variable in ["RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"]
        {
            cargo.env_remove(variable);
        }
        for variable in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_ENCODED_RUSTDOCFLAGS"] {
            cargo.env(variable, self.flags.join("\x1f"));
        }
        cargo.envs(self.variables.iter().map(|[name, value]| (name, value)));
        let mut output = cargo.output().expect("cargo runs");
        for _ in 0..MOLD_TRIES {
            if output.status.code() != Some(TIMED_OUT) {
                break;
            }
            eprintln!("mold did not end: once more");
            output = cargo.output().expect("cargo runs");
        }
        let [text, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if !output.status.success() {
            return Err(format!("{errors}{text}"));
        }
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Builds it.
    ///
    /// # Panics
    ///
    /// With what cargo said, where it fails.
    #[must_use]
    pub fn build(&self) -> Built {
        self.try_build().unwrap_or_else(|error| panic!("{self:?} does not build:\n{error}"))
    }

    /// Gives a file that was built a name that the next build leaves alone.
    fn keep(&self, file: &Path) -> PathBuf {
        let variant = self.flags.concat() + &self.variables.concat().concat();
        let variant: String = variant.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let name = file.file_name().expect("a file").to_string_lossy();
        let kept = self.folder.join(format!("{}{variant}-{name}", self.profile));
        // A second name for the same file, as a copy could not be run while another thread starts a process.
        let _ = fs::remove_file(&kept);
        fs::hard_link(file, &kept).expect("the target directory is writable");
        kept
    }
}

/// How long mold may take with a program that it links in less than one.
const MOLD_SECONDS: u32 = 240;

/// Times that mold is started again.
const MOLD_TRIES: u32 = 3;

/// What `timeout` ends with where it had to end the program.
const TIMED_OUT: i32 = 124;

/// Lets builds follow one another: those with other flags come out under the same name.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The target that rustc builds for by itself.
///
/// # Panics
///
/// Where rustc does not run.
#[must_use]
pub fn host() -> String {
    let text = rustc(&["-vV"]);
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

/// What rustc prints.
///
/// # Panics
///
/// Where rustc does not run.
#[must_use]
pub fn rustc(args: &[&str]) -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(args).output().expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Writes the packages, where they are not there as they should be.
fn write_packages(folder: &Path) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().expect("the workspace");
    let runtime = root.join("percpu-rt");
    let names = PACKAGES.map(|package| package.name);
    write(
        &folder.join("Cargo.toml"),
        &format!(
            "[workspace]\nresolver = \"3\"\nmembers = {names:?}\n\n\
             [profile.release]\ncodegen-units = 16\n\n\
             [profile.thin]\ninherits = \"release\"\nlto = \"thin\"\n\n\
             [profile.fat]\ninherits = \"release\"\nlto = \"fat\"\n"
        ),
    );
    for Package { name, targets, depends_on, features } in PACKAGES {
        let mut text = format!("[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n");
        text += &format!("\n[dependencies]\npercpu-rt = {{ path = {runtime:?}, features = {features:?} }}\n");
        for used in depends_on {
            text += &format!("{used} = {{ path = \"../{used}\" }}\n");
        }
        for Target { table, name, source, more } in targets {
            let source = tests.join("fixtures").join(source).with_extension("rs");
            text += &format!("\n{table}\nname = {name:?}\npath = {source:?}\n{more}");
        }
        write(&folder.join(name).join("Cargo.toml"), &text);
    }
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the target directory is writable");
}

fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the target directory is writable");
    fs::write(path, text).expect("the target directory is writable");
}
