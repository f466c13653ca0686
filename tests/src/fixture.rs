//! Programs built as a crate outside of this workspace builds them: no build script, no settings, cargo alone.
//!
//! The sources are the files in `fixtures/`. Their packages are written into the target directory, with this workspace's
//! lock file, so that building them needs no network.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use serde_json::Value;

/// A generated package.
struct Package {
    name: &'static str,
    /// The table of its targets in the manifest, and what the table says beside name and path.
    table: [&'static str; 2],
    /// Its targets, each a file in `fixtures/`.
    targets: &'static [&'static str],
    depends_on_library: bool,
}

const PACKAGES: [Package; 4] = [
    Package {
        name: "programs",
        table: ["[[bin]]", ""],
        targets: &["counts", "early", "unused"],
        depends_on_library: false,
    },
    Package { name: "library", table: ["[lib]", ""], targets: &["library"], depends_on_library: false },
    Package { name: "sites", table: ["[[bin]]", ""], targets: &["sites"], depends_on_library: true },
    Package {
        name: "archive",
        table: ["[lib]", "crate-type = [\"staticlib\"]\n"],
        targets: &["archive"],
        depends_on_library: false,
    },
];

/// One of the programs in `fixtures/`, and how to build it.
#[derive(Debug, Clone)]
pub struct Fixture {
    folder: PathBuf,
    package: &'static str,
    target: &'static str,
    flags: Vec<String>,
    release: bool,
}

/// What came of a build.
#[derive(Debug)]
pub struct Built {
    /// The program, or the static library.
    pub file: PathBuf,
    /// Where percpu-rt's build script has put the linker fragment.
    pub fragment: PathBuf,
}

impl Fixture {
    /// The program `fixtures/TARGET.rs` of a package. `folder` is `env!("CARGO_TARGET_TMPDIR")`.
    #[must_use]
    pub fn new(folder: &str, package: &'static str, target: &'static str) -> Self {
        let mut fixture =
            Self { folder: Path::new(folder).join("fixtures"), package, target, flags: Vec::new(), release: false };
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

    /// Optimised, in 16 codegen units.
    #[must_use]
    pub fn release(mut self) -> Self {
        self.release = true;
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
        // One at a time: builds with other flags come out under the same name.
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        write_packages(&self.folder);
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.folder).args(["build", "--offline", "--message-format=json-render-diagnostics"]);
        // With a target the flags are kept from build scripts and macros, so these are built once for all flags.
        cargo.args(["--target", host().as_str(), "--target-dir"]).arg(self.folder.join("target"));
        cargo.args(["--package", self.package]).args(self.release.then_some("--release"));
        let library = PACKAGES.iter().any(|package| package.name == self.package && package.table[0] == "[lib]");
        let which = if library { vec!["--lib"] } else { vec!["--bin", self.target] };
        cargo.args(which);
        for variable in ["RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"] {
            cargo.env_remove(variable);
        }
        cargo.env("CARGO_ENCODED_RUSTFLAGS", self.flags.join("\x1f"));
        let output = cargo.output().expect("cargo runs");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(self.keep(&String::from_utf8_lossy(&output.stdout)))
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

    /// Finds in cargo's messages what was built, and gives it a name that the next build leaves alone.
    fn keep(&self, messages: &str) -> Built {
        let messages: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let artifact = messages.iter().find(|message| message["target"]["name"] == self.target);
        let file = artifact.and_then(|artifact| artifact["filenames"][0].as_str()).expect("cargo names the file");
        let runs = |message: &&Value| {
            let package = message["package_id"].as_str().unwrap_or_default();
            message["reason"] == "build-script-executed" && package.contains("percpu-rt")
        };
        let out = messages.iter().find(runs).and_then(|run| run["out_dir"].as_str()).expect("cargo names OUT_DIR");
        let variant: String = self.flags.concat().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let name = Path::new(file).file_name().expect("a file").to_string_lossy();
        let profile = if self.release { "release" } else { "debug" };
        let kept = self.folder.join(format!("{profile}{variant}-{name}"));
        // A second name for the same file, as a copy could not be run while another thread starts a process.
        let _ = fs::remove_file(&kept);
        fs::hard_link(file, &kept).expect("the target directory is writable");
        Built { file: kept, fragment: Path::new(out).join("percpu.x") }
    }
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
        &format!("[workspace]\nresolver = \"3\"\nmembers = {names:?}\n\n[profile.release]\ncodegen-units = 16\n"),
    );
    for Package { name, table: [table, more], targets, depends_on_library } in PACKAGES {
        let mut text = format!("[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n");
        text += &format!("\n[dependencies]\npercpu-rt = {{ path = {runtime:?} }}\n");
        if depends_on_library {
            text += "library = { path = \"../library\" }\n";
        }
        for target in targets {
            let source = tests.join("fixtures").join(target).with_extension("rs");
            text += &format!("\n{table}\nname = {target:?}\npath = {source:?}\n{more}");
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
