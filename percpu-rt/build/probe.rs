//! A trial link: does this build's linker read the fragment?
//!
//! Only the linker itself can say: its name proves nothing (`cc` may call any), and which one runs is spread over
//! the target's default, `.cargo/config.toml`, `RUSTFLAGS` and the environment. So the probe links an empty
//! program by the compiler, the flags and the linker that cargo is going to use.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What the trial link says of the linker.
pub(crate) enum Verdict {
    /// It reads the fragment, or there is nothing to be learnt (no standard library for the target, say), and
    /// the final link is left to speak for itself.
    Accepted,
    /// It links, but not with the fragment: programs are linked without it.
    Refused,
}

/// Links an empty program with the fragment `name` that lies in `out`.
pub(crate) fn link_with(out: &Path, name: &str) -> Verdict {
    // The flags' own variables cause a rebuild by themselves; the linker does not, which cargo takes from a variable of the
    // target's or from its configuration. A file that comes into being later is not seen: one that is missing would cause a
    // rebuild each time.
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let target = env::var("TARGET").unwrap_or_default().replace('-', "_").to_uppercase();
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_{target}_LINKER");
    let homes = env::var_os("CARGO_HOME").map(PathBuf::from);
    let folders = out.ancestors().map(|folder| folder.join(".cargo")).chain(homes);
    for file in folders.flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name))) {
        if file.is_file() {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    let source = out.join("probe.rs");
    if fs::write(&source, "fn main() {}\n").is_err() {
        return Verdict::Accepted;
    }
    let link = |with_fragment: bool| {
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--crate-name", "probe", "--crate-type", "bin", "--edition", "2024"]);
        rustc.arg(&source).arg("-o").arg(out.join("probe"));
        rustc.arg("--target").arg(env::var_os("TARGET").unwrap_or_default());
        if let Some(linker) = env::var_os("RUSTC_LINKER") {
            let mut flag = std::ffi::OsString::from("-Clinker=");
            flag.push(linker);
            rustc.arg(flag);
        }
        let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
        rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
        if with_fragment {
            let mut search = std::ffi::OsString::from("native=");
            search.push(out);
            rustc.arg("-L").arg(search).arg("-l").arg(format!("dylib:+verbatim={name}"));
        }
        rustc.output().is_ok_and(|output| output.status.success())
    };
    // The second link tells a linker that refuses the fragment from a build that cannot link at all.
    if link(true) || !link(false) { Verdict::Accepted } else { Verdict::Refused }
}
