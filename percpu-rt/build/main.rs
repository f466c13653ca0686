//! Settles how templates are linked, and hands the linker fragment to every final link of a program that uses it.
//!
//! Cargo carries a dependency's link search path and libraries into each final link (binary, test, example,
//! doctest, cdylib), and LLD reads a library that is a text file as a linker script. So the fragment travels as a
//! "library" and no user configures anything. `rustc-link-arg` would not travel.
//!
//! Other linkers refuse such a file. Where a trial link says so, there is none, and the templates of all crates go to
//! one section around which every linker makes symbols by itself.

// The contract's names, from the one place where they stand. The runtime and the tool use the rest of it.
#[allow(dead_code, unreachable_pub, reason = "the script needs only the sections and symbols of the contract")]
#[allow(unexpected_cfgs, reason = "what this script finds out is known to the crate and not to the script")]
#[path = "../src/abi/class.rs"]
mod class;
#[allow(dead_code, unreachable_pub, reason = "the script needs only the sections and symbols of the contract")]
#[path = "../src/abi/symbol.rs"]
mod symbol;

#[allow(dead_code, unreachable_pub, reason = "the script needs only some of the numbers")]
#[path = "../src/abi/layout/defaults.rs"]
mod defaults;

mod fragment;
mod probe;

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::probe::Verdict;

/// The fragment's file name.
const FRAGMENT: &str = "percpu.x";

/// The two that kernels `INCLUDE`: the templates, and units for a static first chunk.
const KERNEL_FRAGMENT: &str = "percpu.ld";
const UNITS_FRAGMENT: &str = "percpu-units.ld";

/// The backend of kernels.
const KERNEL: &str = "x86_64_kernel";

/// The fragment's file name as programs are linked with it. GNU ld, when it meets the file after all, says no more of it
/// than its name.
const LIBRARY: &str = "percpu.x-needs-LLD-or-PERCPU_LINK=section";

/// The environment variable that settles how templates are linked, without a trial.
const CHOICE: &str = "PERCPU_LINK";

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/abi");
    println!("cargo::rerun-if-env-changed={CHOICE}");
    println!("cargo::rustc-check-cfg=cfg(has_backend)");
    println!("cargo::rustc-check-cfg=cfg(has_stock)");
    println!("cargo::rustc-check-cfg=cfg(backend, values(\"x86_64\", \"x86_64_kernel\", \"generic\"))");
    println!("cargo::rustc-check-cfg=cfg(platform, values(\"hosted\", \"kernel\"))");
    println!("cargo::rustc-check-cfg=cfg(link, values(\"section\", \"kernel\"))");
    let backend = backend();
    if let Some(name) = backend {
        println!("cargo::rustc-cfg=has_backend");
        // What the checked allocator looks after does not lie in stock. A kernel's first chunk is too small: a stock would be a third
        // of what it has for dynamic objects.
        if name != KERNEL && env::var_os("CARGO_FEATURE_CHECKED").is_none() {
            println!("cargo::rustc-cfg=has_stock");
        }
        println!("cargo::rustc-cfg=backend=\"{name}\"");
        println!("cargo::rustc-cfg=platform=\"{}\"", if name == KERNEL { "kernel" } else { "hosted" });
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for name in [FRAGMENT, LIBRARY] {
        fs::write(out.join(name), fragment::script()).expect("OUT_DIR is writable");
    }
    println!("cargo::rustc-link-search=native={}", out.display());
    fs::write(out.join(KERNEL_FRAGMENT), fragment::for_kernels()).expect("OUT_DIR is writable");
    fs::write(out.join(UNITS_FRAGMENT), fragment::units()).expect("OUT_DIR is writable");
    // A kernel names its fragments in its own script; without a backend there is nothing to be linked.
    if backend == Some(KERNEL) {
        println!("cargo::rustc-cfg=link=\"kernel\"");
        // Its set-up in a process, for its tests.
        if env::var(CHOICE).as_deref() == Ok("script") {
            println!("cargo::rustc-link-lib=dylib:+verbatim={LIBRARY}");
        }
    } else if backend.is_some() {
        if reads_fragment(&out) {
            println!("cargo::rustc-link-lib=dylib:+verbatim={LIBRARY}");
        } else {
            println!("cargo::rustc-cfg=link=\"section\"");
        }
    }
}

/// Whether programs are to be linked with the fragment: as the environment says, else as the linker shows.
fn reads_fragment(out: &Path) -> bool {
    match env::var(CHOICE).as_deref() {
        Ok("script") => true,
        Ok("section") => false,
        Err(env::VarError::NotPresent) => matches!(probe::link_with(out, LIBRARY), Verdict::Accepted),
        _ => {
            println!(
                "cargo::error={CHOICE} is neither `script` (all templates by percpu.x, which LLD reads) nor `section` (in \
                 one section, for every linker)"
            );
            true
        }
    }
}

/// The folder under `src/arch` whose operations this build uses; `None` where there are none to use and only the
/// contract with the tool is compiled.
fn backend() -> Option<&'static str> {
    let cfg = |name: &str| env::var(format!("CARGO_CFG_{name}")).ok();
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let hosted = has("HOSTED") && cfg("TARGET_OS").as_deref() == Some("linux");
    // `--cfg percpu_backend="generic"` runs the portable operations where the others would do: in tests of them.
    let wants_generic = cfg("PERCPU_BACKEND").as_deref() == Some("generic") || cfg("MIRI").is_some();
    // Words of 64 bits are aligned to 8 and atomic where pointers have as many.
    let wide = cfg("TARGET_POINTER_WIDTH").as_deref() == Some("64");
    match cfg("TARGET_ARCH").as_deref() {
        // A program's choice goes before a kernel's: with all features the crate is documented as a program's.
        Some("x86_64") if has("KERNEL") && !hosted => Some(KERNEL),
        _ if !hosted || !wide => None,
        Some("x86_64") if !wants_generic => Some("x86_64"),
        _ => Some("generic"),
    }
}
