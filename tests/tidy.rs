//! The rules of the architecture, held to the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longer files need a place in this list, with the reason.
const LONGEST_FILE: usize = 400;

/// The modules of percpu-rt, lowest first: each may name those of its own rank and below.
const RANKS: [&[&str]; 9] = [
    &["abi", "chunk", "primitive"],
    &["arch"],
    &["cpu"],
    &["area"],
    &["var", "lock", "dynamic"],
    &["boxed"],
    &["counter"],
    &["hosted", "kernel"],
    &["private", "macros"],
];

/// How the ranks below `hosted` and `kernel` call the one that there is.
const PLATFORM: &str = "platform";

/// Where assembly may stand, beside the backends.
const ASSEMBLY: [(&str, &str); 3] = [
    ("percpu-rt/src/arch/", "the backends"),
    ("examples/kernel/src/", "a kernel has no one else to do it"),
    ("percpu-rt/benches/", "what the operations are compared with has to be an instruction at a time"),
];

/// Where a section of templates may be spelled out, beside tests: inputs and messages written by hand do not follow a
/// mistake in the names.
const SECTIONS: [(&str, &str); 2] = [
    ("percpu-rt/src/abi/class.rs", "the one home of the names"),
    ("percpu-rt/build/fragment.rs", "the text of the error tells what a user's script says"),
];

/// Files of one backend that no other has.
const OWN_FILES: [(&str, &str); 8] = [
    ("generic/magazine.rs", "kernels have no stock"),
    ("x86_64/magazine.rs", "kernels have no stock"),
    ("x86_64/sequence.rs", "only restartable sequences need a frame around them"),
    ("x86_64/wide.rs", "stable Rust has no portable atomic of 16 bytes"),
    ("x86_64_kernel/access.rs", "one instruction, which every variable's expansion has"),
    ("x86_64_kernel/base.rs", "the register that only a kernel sets"),
    ("x86_64_kernel/interrupts.rs", "only a kernel turns them off"),
    ("x86_64_kernel/wide.rs", "as above"),
];

/// Every Rust source of the workspace, by its path from the root.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of the workspace") {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                // Built or hidden.
                if name != "target" && !name.starts_with('.') {
                    walk(&path, found);
                }
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut found = Vec::new();
    walk(root, &mut found);
    found.sort();
    let relative = |path: &PathBuf| path.strip_prefix(root).expect("inside").to_string_lossy().into_owned();
    let sources: Vec<_> = found.iter().map(|path| (relative(path), fs::read_to_string(path).expect("UTF-8"))).collect();
    assert!(sources.len() > 50, "the sources are not where they were");
    sources
}

/// The lines that are no comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether a file is a test or a part of one.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// Fails with every line that `finds` what is allowed in some files only.
#[track_caller]
fn assert_only_in(allowed: &[(&str, &str)], what: &str, finds: impl Fn(&str, &str) -> bool) {
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (number, line) in code(&text).filter(|(_, line)| finds(&path, line)) {
            match allowed.iter().find(|(place, _)| path.starts_with(place)) {
                Some((place, _)) => drop(used.insert(*place)),
                None => wrong.push(format!("{path}:{number}: {}", line.trim())),
            }
        }
    }
    assert!(wrong.is_empty(), "{what} belongs elsewhere (see the list in tests/tidy.rs):\n{}", wrong.join("\n"));
    for (place, reason) in allowed {
        assert!(used.contains(place), "no {what} in {place} ({reason}): take it off the list");
    }
}

#[test]
fn assembly_is_the_backends() {
    let asm = ["asm", "global_asm", "naked_asm"].map(|name| format!("{name}!("));
    assert_only_in(&ASSEMBLY, "assembly", |_, line| asm.iter().any(|asm| line.contains(asm)));
}

#[test]
fn section_names_have_one_home() {
    let sections = ["data", "bss"].map(|name| format!(".{name}..percpu"));
    assert_only_in(&SECTIONS, "a section's name", |path, line| {
        !is_test(path) && sections.iter().any(|section| line.contains(section))
    });
}

#[test]
fn files_hold_one_idea() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(path, text)| (text.lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE} lines, split them: {long:?}");
}

/// Ports are read side by side, and a gap is seen by listing the folders.
#[test]
fn backends_have_the_same_files() {
    let mut backends = std::collections::BTreeMap::<String, BTreeSet<String>>::new();
    for (path, _) in sources() {
        let Some((backend, file)) = path.strip_prefix("percpu-rt/src/arch/").and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        if !OWN_FILES.iter().any(|(own, _)| *own == format!("{backend}/{file}")) {
            backends.entry(backend.to_owned()).or_default().insert(file.to_owned());
        }
    }
    assert!(backends.len() >= 2, "{backends:?}");
    let mut sets = backends.values();
    let first = sets.next().expect("a backend");
    assert!(sets.all(|set| set == first), "{backends:#?}");
}

/// A lower rank that needs something from above owns the trait or the hook, and the upper one registers.
#[test]
fn modules_name_their_own_rank_and_below() {
    let rank = |module: &str| RANKS.iter().position(|modules| modules.contains(&module));
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(inside) = path.strip_prefix("percpu-rt/src/") else { continue };
        let module = inside.split(['/', '.']).next().unwrap_or_default();
        if module == "lib" {
            continue;
        }
        let Some(own) = rank(module) else {
            wrong.push(format!("{path}: `{module}` has no rank"));
            continue;
        };
        for (number, line) in code(&text) {
            for named in line.split("crate::").skip(1) {
                let named = named.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                if named != PLATFORM && rank(named).is_some_and(|rank| rank > own) {
                    wrong.push(format!("{path}:{number}: `{module}` is below `{named}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The map of this folder names every room.
#[test]
fn every_room_is_on_the_map() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [manifest, map] = ["Cargo.toml", "README.md"].map(|file| fs::read_to_string(tests.join(file)).expect(file));
    let rooms: Vec<_> = manifest.split("[[test]]").skip(1).filter_map(|room| room.split('"').nth(1)).collect();
    assert!(rooms.len() > 4, "{rooms:?}");
    for room in rooms {
        assert!(map.contains(&format!("| `{room}` |")), "tests/README.md has no line for `{room}`");
    }
}
