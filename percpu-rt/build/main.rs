//! Hands the linker fragment to every final link of a program with per-CPU variables.
//!
//! Cargo carries a dependency's link search path and libraries into each final link (binary, test, example,
//! doctest, cdylib), and LLD reads a library that is a text file as a linker script. So the fragment travels as a
//! "library" and no user configures anything. `rustc-link-arg` would not travel.

// The contract's names, from the one place where they stand. The runtime and the tool use the rest of it.
#[allow(dead_code, unreachable_pub, reason = "the script needs only the sections and symbols of the contract")]
#[path = "../src/abi/class.rs"]
mod class;
#[allow(dead_code, unreachable_pub, reason = "the script needs only the sections and symbols of the contract")]
#[path = "../src/abi/symbol.rs"]
mod symbol;

mod fragment;
mod probe;

use std::path::PathBuf;
use std::{env, fs};

/// The fragment's file name: kernels `INCLUDE` it, and linkers show it in their messages.
const FRAGMENT: &str = "percpu.x";

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/abi");
    println!("cargo::rustc-check-cfg=cfg(has_backend)");
    println!("cargo::rustc-check-cfg=cfg(backend, values(\"x86_64\", \"generic\"))");
    let backend = backend();
    if let Some(name) = backend {
        println!("cargo::rustc-cfg=has_backend");
        println!("cargo::rustc-cfg=backend=\"{name}\"");
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let path = out.join(FRAGMENT);
    let write = |text: String| fs::write(&path, text).expect("OUT_DIR is writable");
    write(fragment::script());
    println!("cargo::rustc-link-search=native={}", out.display());
    // A kernel names the fragment in its own script; without a backend there is nothing to be linked.
    if backend.is_some() {
        if let probe::Verdict::Refused = probe::link_with(&out, FRAGMENT) {
            write(fragment::refusal());
        }
        println!("cargo::rustc-link-lib=dylib:+verbatim={FRAGMENT}");
    }
}

/// The folder under `src/arch` whose operations this build uses; `None` where there are none to use and only the
/// contract with the tool is compiled.
fn backend() -> Option<&'static str> {
    let cfg = |name: &str| env::var(format!("CARGO_CFG_{name}")).ok();
    let hosted = env::var_os("CARGO_FEATURE_HOSTED").is_some() && cfg("TARGET_OS").as_deref() == Some("linux");
    // `--cfg percpu_backend="generic"` runs the portable operations where the others would do: in tests of them.
    let wants_generic = cfg("PERCPU_BACKEND").as_deref() == Some("generic") || cfg("MIRI").is_some();
    match cfg("TARGET_ARCH").as_deref() {
        _ if !hosted => None,
        Some("x86_64") if !wants_generic && cfg("TARGET_POINTER_WIDTH").as_deref() == Some("64") => Some("x86_64"),
        _ => Some("generic"),
    }
}
