//! `patch` on images of every width and byte order: what is written, and what is not touched.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use percpu_link::Error;
use percpu_rt::abi::class::DATA;
use percpu_rt::abi::hosted;
use percpu_rt::abi::record::{self, ByteOrder, Record, RecordError};
use tempfile::TempDir;

#[allow(dead_code, reason = "shared with other tests")]
mod fixture;
#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use fixture::{Elf, Section, data, zeros};
use tools::{output, tool};

/// An image with a template of 72 bytes and this record.
fn image(is_64: bool, is_big: bool, record: &[u8]) -> Elf {
    let bytes = Some(record.to_vec());
    let record = Section { bytes, ..data(record::SECTION, 0x1000, record.len() as u64, 8) };
    Elf { is_64, is_big, ..Elf::kernel(vec![record, data(DATA, 0x2000, 72, 64)], vec![]) }
}

fn small() -> Elf {
    image(true, false, &record::unpatched(ByteOrder::Little))
}

fn write(elf: &Elf) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    fs::write(&path, elf.bytes()).unwrap();
    (dir, path)
}

/// Where the record starts.
fn find(bytes: &[u8]) -> usize {
    bytes.windows(8).position(|window| window == record::MAGIC).unwrap()
}

#[test]
fn a_record_of_any_width_and_order_is_filled() {
    for (is_64, is_big) in [(true, false), (true, true), (false, false), (false, true)] {
        let order = if is_big { ByteOrder::Big } else { ByteOrder::Little };
        let (_dir, path) = write(&image(is_64, is_big, &record::unpatched(order)));
        let before = fs::read(&path).unwrap();
        let patch = percpu_link::patch(&path, 200).unwrap();
        assert!(patch.changed);
        assert_eq!((patch.cpus, patch.static_size, patch.unit_offsets.len()), (200, 72, 201));
        let after = fs::read(&path).unwrap();
        let at = find(&after);
        let found = Record::decode(&after[at..at + record::SIZE], order).unwrap().unwrap();
        let smallest = hosted::smallest_unit(40_960, 4096).unwrap();
        let expected = Record {
            static_size: 72,
            reserved_size: 8192,
            dyn_size: 40_960 - 8192 - 72,
            align: 64,
            unit_size: hosted::preferred_unit(201, smallest),
            nr_units: 201,
        };
        assert_eq!(found, expected);
        assert_eq!(patch.unit_size, expected.unit_size);
        assert_eq!((&before[..at], &before[at + record::SIZE..]), (&after[..at], &after[at + record::SIZE..]));
        // Again changes nothing, and another number of CPUs leaves nothing of this one.
        assert!(!percpu_link::patch(&path, 200).unwrap().changed);
        assert_eq!(fs::read(&path).unwrap(), after);
        percpu_link::patch(&path, 2).unwrap();
        percpu_link::patch(&path, 200).unwrap();
        assert_eq!(fs::read(&path).unwrap(), after);
    }
}

#[test]
#[cfg(unix)]
fn links_and_mode_of_the_file_stay() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let (dir, path) = write(&small());
    let link = dir.path().join("link");
    fs::hard_link(&path, &link).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
    let before = fs::metadata(&path).unwrap();
    percpu_link::patch(&path, 4).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.ino(), after.nlink(), after.mode()), (before.ino(), 2, before.mode()));
    assert_eq!(fs::read(&link).unwrap(), fs::read(&path).unwrap());
    // The link is the file: nothing is left to write, which the file's time shows.
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert!(!percpu_link::patch(&link, 4).unwrap().changed);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), time);
}

#[test]
fn the_alignment_is_that_of_the_segment() {
    let mut elf = small();
    elf.loads = vec![(0x1000, 0x800, 0x1000), (0x2000, 0x800, 0x10000)];
    let (_dir, path) = write(&elf);
    percpu_link::patch(&path, 4).unwrap();
    let bytes = fs::read(&path).unwrap();
    let at = find(&bytes);
    let found = Record::decode(&bytes[at..at + record::SIZE], ByteOrder::Little).unwrap().unwrap();
    assert_eq!(found.align, 0x10000);
}

#[test]
fn what_has_no_good_record_is_not_written() {
    let little = record::unpatched(ByteOrder::Little);
    let changed = |at: usize, value: u8| {
        let mut bytes = little;
        bytes[at] = value;
        bytes
    };
    let is_record =
        |wanted: RecordError| move |error: &Error| matches!(error, Error::Record { source, .. } if *source == wanted);
    let is_none = |error: &Error| matches!(error, Error::NoRecord { .. });
    let mut foreign_order = small();
    foreign_order.sections[0].bytes = Some(record::unpatched(ByteOrder::Big).to_vec());
    let mut no_bytes = small();
    no_bytes.sections[0] = zeros(record::SECTION, 0x1000, record::SIZE as u64, 8);
    let mut no_template = small();
    no_template.sections[1].name = ".data";
    let with = |record: &[u8]| image(true, false, record);
    type Check<'a> = &'a dyn Fn(&Error) -> bool;
    let cases: [(Elf, u64, Check<'_>, &str); 9] = [
        (Elf::small(), 4, &is_none, "no layout record (.percpu_layout); link"),
        (no_bytes, 4, &is_none, "no layout record"),
        (no_template, 4, &|error| matches!(error, Error::NoSection { .. }), "no per-CPU section"),
        (with(&changed(0, 0)), 4, &is_record(RecordError::NotARecord), "no layout record; link the image again"),
        (with(&changed(8, 9)), 4, &is_record(RecordError::Version(9)), "version 9, not 1; use the percpu-link"),
        (foreign_order, 4, &is_record(RecordError::Version(1 << 24)), "of version 16777216"),
        (
            with(&little[..1000]),
            4,
            &is_record(RecordError::Capacity { capacity: 256, bytes: 1000 }),
            "cannot have 1000",
        ),
        (with(&little[..8]), 4, &is_record(RecordError::NotARecord), "no layout record"),
        (
            small(),
            256,
            &is_record(RecordError::TooManyUnits { nr_units: 257, capacity: 256 }),
            "257 units, where the layout record has room for 256; give fewer CPUs",
        ),
    ];
    for (elf, cpus, is_expected, message) in cases {
        let (_dir, path) = write(&elf);
        let error = percpu_link::patch(&path, cpus).unwrap_err();
        assert!(is_expected(&error), "{error:?}");
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(fs::read(&path).unwrap(), elf.bytes());
    }
}

#[test]
fn the_command_patches_each_file() {
    let (dir, _) = write(&small());
    fs::write(dir.path().join("other"), small().bytes()).unwrap();
    fs::write(dir.path().join("without"), Elf::small().bytes()).unwrap();
    let run = |args: &[&str], status| output(tool(args).current_dir(dir.path()), status);
    let (stdout, stderr) = run(&["patch", "--cpus", "3", "image", "without", "--", "other"], 1);
    let line = |name| format!("{name}: 3 cpus, 4 units of 17179803648 bytes, static size 72");
    assert_eq!(stdout, format!("{}\n{}\n", line("image"), line("other")));
    assert!(stderr.starts_with("error: without: no layout record"), "{stderr}");
    let (stdout, _) = run(&["patch", "image", "--cpus=3"], 0);
    assert_eq!(stdout, format!("{}, unchanged\n", line("image")));
    // The possible CPUs of this machine, where it tells.
    if fs::exists("/sys/devices/system/cpu/possible").unwrap() {
        let (stdout, _) = run(&["patch", "image"], 0);
        assert!(stdout.starts_with("image: "), "{stdout}");
    }
}
