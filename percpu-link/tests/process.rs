//! Programs with and without a layout record that holds: all run, and those that it holds for use it.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::{Object, ObjectSection};
use percpu_rt::abi::record::{self, ByteOrder, Record};
use tempfile::TempDir;

#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use tools::{TOTAL, build_program, output, program, run_program, succeed, tool, when_written};

/// What 200 CPUs have for a unit; every machine with fewer than 63 gets more by itself.
const OF_200: u64 = (1 << 32) - SMALLEST;
const OF_100: u64 = (1 << 33) - SMALLEST;

/// The smallest unit that would do.
const SMALLEST: u64 = 64 << 10;

/// A copy of the program, in a directory of its own.
fn copy() -> Option<(TempDir, PathBuf)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("program");
    fs::copy(program()?, &path).unwrap();
    Some((dir, path))
}

fn patch(path: &Path, cpus: u64) {
    output(&mut tool(&["patch", path.to_str().unwrap(), "--cpus", &cpus.to_string()]), 0);
}

/// Where the record is in the file.
fn record_range(bytes: &[u8]) -> std::ops::Range<usize> {
    let file = object::File::parse(bytes).unwrap();
    let (start, size) = file.section_by_name(record::SECTION).unwrap().file_range().unwrap();
    start as usize..(start + size) as usize
}

fn build_id(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    object::File::parse(&*bytes).unwrap().build_id().unwrap().expect("linked with one").to_vec()
}

#[test]
fn the_unit_size_is_the_patched_one() {
    let Some((_dir, path)) = copy() else { return };
    let (computed, total) = run_program(&path);
    assert_eq!(total, TOTAL);
    assert_ne!(computed, OF_200);
    let id = build_id(&path);
    patch(&path, 200);
    assert_eq!(run_program(&path), (OF_200, TOTAL.into()));
    assert_eq!(build_id(&path), id);
    // Without a number the layout is for this machine, as the runtime would compute it.
    output(&mut tool(&["patch", path.to_str().unwrap()]), 0);
    assert_eq!(run_program(&path), (computed, TOTAL.into()));
}

#[test]
fn programs_of_every_kind_use_the_record() {
    if program().is_none() {
        return;
    }
    for (name, flags) in [
        ("fixed", "-Crelocation-model=static"),
        ("static", "-Ctarget-feature=+crt-static"),
        ("packed", "-Clink-arg=-Wl,-z,pack-relative-relocs"),
        ("split", "-Csplit-debuginfo=packed"),
        ("generic", "--cfg percpu_backend=\"generic\""),
    ] {
        let path = build_program(name, flags);
        let computed = run_program(&path);
        assert_eq!(computed.1, TOTAL, "{name}");
        output(&mut tool(&["check", path.to_str().unwrap()]), 0);
        patch(&path, 200);
        assert_eq!(run_program(&path), (OF_200, TOTAL.into()), "{name}");
        output(&mut tool(&["patch", path.to_str().unwrap()]), 0);
        assert_eq!(run_program(&path), computed, "{name}");
    }
}

#[test]
fn the_environment_comes_first_and_the_kernel_has_the_last_word() {
    let Some((_dir, path)) = copy() else { return };
    patch(&path, 200);
    let (stdout, _) = output(Command::new(&path).env("PERCPU_UNIT_SIZE", "1M"), 0);
    assert_eq!(stdout.trim(), format!("1048576 {TOTAL}"));
    // Less address space than the record asks for.
    let limited = "ulimit -v 4000000; exec \"$0\"";
    let (stdout, _) = output(Command::new("sh").args(["-c", limited]).arg(&path), 0);
    let (size, total) = stdout.trim().split_once(' ').unwrap();
    assert!(size.parse::<u64>().unwrap() < OF_200, "{size}");
    assert_eq!(total, TOTAL);
}

#[test]
fn stripped_and_split_programs_are_patched_and_stay_patched() {
    let Some((dir, path)) = copy() else { return };
    let id = build_id(&path);
    let name = |name: &str| dir.path().join(name);
    let strip = |from: &Path, to: &str, flag: &str| {
        succeed(Command::new("strip").args([flag, "-o"]).args([&name(to), from])).map(|_| name(to))
    };
    patch(&path, 200);
    for flag in ["--strip-debug", "--strip-all"] {
        let Some(stripped) = strip(&path, "patched first", flag) else { return };
        assert_eq!(run_program(&stripped), (OF_200, TOTAL.into()), "{flag}");
        let Some(stripped) = strip(program().unwrap(), "stripped first", flag) else { return };
        assert_ne!(run_program(&stripped).0, OF_200);
        patch(&stripped, 200);
        assert_eq!(run_program(&stripped), (OF_200, TOTAL.into()), "{flag}");
        assert_eq!(build_id(&stripped), id);
    }
    // Debug information in a file of its own, found by a link or by the build-id.
    let debug = name("program.debug");
    let link = format!("--add-gnu-debuglink={}", debug.display());
    let objcopy = |args: &[&Path]| succeed(Command::new("objcopy").args(args));
    if objcopy(&["--only-keep-debug".as_ref(), &path, &debug]).is_none() {
        return;
    }
    objcopy(&["--strip-debug".as_ref(), link.as_ref(), &path]);
    assert_eq!(run_program(&path), (OF_200, TOTAL.into()));
    patch(&path, 100);
    assert_eq!(run_program(&path), (OF_100, TOTAL.into()));
}

#[test]
fn a_record_of_another_image_is_refused() {
    let Some((_dir, path)) = copy() else { return };
    let (computed, _) = run_program(&path);
    patch(&path, 200);
    let patched = fs::read(&path).unwrap();
    let range = record_range(&patched);
    let order = ByteOrder::NATIVE;
    let own = Record::decode(&patched[range.clone()], order).unwrap().unwrap();
    let with = |record: Record, order| {
        let mut bytes = record::unpatched(order);
        record.encode(&mut bytes, order).unwrap();
        bytes
    };
    let other_order = if order == ByteOrder::Little { ByteOrder::Big } else { ByteOrder::Little };
    let mut newer = with(own, order);
    newer[8] ^= 3;
    for (what, bytes) in [
        ("stale: a variable was added", with(Record { static_size: own.static_size + 8, ..own }, order)),
        ("stale: a variable was removed", with(Record { static_size: own.static_size - 8, ..own }, order)),
        ("another alignment", with(Record { align: own.align * 2, ..own }, order)),
        ("a unit without room", with(Record { reserved_size: 0, dyn_size: 0, unit_size: own.align, ..own }, order)),
        ("fewer units than are used", with(Record { nr_units: 1, ..own }, order)),
        ("another byte order", with(own, other_order)),
        ("another version", newer),
        ("not patched", record::unpatched(order)),
        ("nothing at all", [0; record::SIZE]),
    ] {
        let mut image = patched.clone();
        image[range.clone()].copy_from_slice(&bytes);
        fs::write(&path, image).unwrap();
        assert_eq!(run_program(&path), (computed, TOTAL.into()), "{what}");
    }
    fs::write(&path, patched).unwrap();
    assert_eq!(run_program(&path), (OF_200, TOTAL.into()));
}

#[test]
fn a_record_with_any_byte_changed_is_refused() {
    let Some((dir, path)) = copy() else { return };
    let (computed, _) = run_program(&path);
    patch(&path, 200);
    let patched = fs::read(&path).unwrap();
    let range = record_range(&patched);
    assert_eq!(range.len(), record::SIZE);
    let workers = 4;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (patched, range) = (&patched, range.clone());
            let file = dir.path().join(worker.to_string());
            fs::copy(&path, &file).unwrap();
            scope.spawn(move || {
                for at in range.skip(worker).step_by(workers) {
                    let mut image = patched.clone();
                    image[at] ^= 1 << (at % 8);
                    fs::write(&file, image).unwrap();
                    assert_eq!(run_program(&file), (computed, TOTAL.into()), "byte {at}");
                }
            });
        }
    });
}

#[test]
fn a_running_program_is_left_alone() {
    let Some((_dir, path)) = copy() else { return };
    let mut program = Command::new(&path);
    program.arg("wait").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = when_written(|| program.spawn());
    let mut line = String::new();
    let mut stdout = BufReader::new(running.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "waiting\n");
    let before = fs::read(&path).unwrap();
    let (stdout, stderr) = output(&mut tool(&["patch", path.to_str().unwrap(), "--cpus", "200"]), 1);
    assert_eq!(stdout, "");
    assert!(stderr.contains("the program is running") && stderr.contains("ETXTBSY"), "{stderr}");
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(running.stdin.take());
    assert!(running.wait().unwrap().success());
    patch(&path, 200);
    assert_eq!(run_program(&path).0, OF_200);
}
