//! Damaged images: every command ends with an answer or an error, and `patch` writes to no byte outside of the record.

use std::fs;
use std::path::Path;

use percpu_link::{Error, Settings};
use percpu_rt::abi::record::{self, ByteOrder};

#[allow(dead_code, reason = "shared with other tests")]
mod fixture;
#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use fixture::specimens;
use tools::cc;

/// Xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// A copy with a few bytes changed to what breaks readers most, or with its end cut off.
fn damage(image: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = image.to_vec();
    for _ in 0..=random.below(4) {
        // Headers are few bytes among many, and hold what readers rely on.
        let at = match random.below(3) {
            0 => random.below(64),
            1 => bytes.len() - 1 - random.below(bytes.len().min(800)),
            _ => random.below(bytes.len()),
        };
        bytes[at] = [0, 1, 0x7f, 0x80, 0xff, bytes[at] ^ (1 << random.below(8))][random.below(6)];
    }
    if random.below(8) == 0 {
        bytes.truncate(random.below(bytes.len()));
    }
    bytes
}

/// All commands on `bytes`, of which no patch may change anything but one record.
fn survive(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    let _ = percpu_link::report(path);
    let settings = Settings { max_static: Some(8), ..Settings::default() };
    if let Ok(report) = percpu_link::check(path, &settings) {
        for finding in &report.findings {
            assert!(!finding.message.is_empty() && !finding.help.is_empty());
        }
    }
    let result = percpu_link::patch(path, 3);
    let after = fs::read(path).unwrap();
    assert_eq!(after.len(), bytes.len());
    let differs = |at: &usize| after[*at] != bytes[*at];
    let first = (0..bytes.len()).find(differs);
    match (result, first) {
        (Ok(patch), first) => assert_eq!(patch.changed, first.is_some()),
        (Err(error), first) => assert!(first.is_none() && !matches!(error, Error::Write(_)), "{error}"),
    }
    if let Some(first) = first {
        let last = (0..bytes.len()).rfind(differs).unwrap();
        // Any in front may be the record: what the old one held can look like the head of another.
        let mut starts = (0..=first).filter(|at| bytes[*at..].starts_with(&record::MAGIC));
        let is_within = |start: usize| {
            let head = bytes.get(start..start + record::SIZE).unwrap_or_default();
            let capacity = record::capacity(head, ByteOrder::Little).or(record::capacity(head, ByteOrder::Big));
            capacity.is_ok_and(|capacity| last < start + record::size(capacity))
        };
        assert!(starts.any(is_within), "{first}..={last} are in no record");
    }
}

#[test]
fn images_of_every_width_and_order_survive_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    for (number, image) in specimens().iter().enumerate() {
        fs::write(&path, image).unwrap();
        let report = percpu_link::report(&path).unwrap();
        assert!(!report.findings.is_empty(), "the undamaged image is read as far as its relocations: {report:?}");
        assert!(percpu_link::patch(&path, 3).unwrap().changed);
        for length in 0..image.len().min(512) {
            survive(&path, &image[..length]);
        }
        let mut random = Random(0x2545_f491_4f6c_dd1d + number as u64);
        for _ in 0..3_000 {
            survive(&path, &damage(image, &mut random));
        }
    }
}

/// Found by the fuzz target `patch`.
#[test]
fn a_record_that_holds_the_head_of_another_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    for mut image in specimens() {
        let start = image.windows(8).position(|window| window == record::MAGIC).unwrap();
        image[start + 19..][..8].copy_from_slice(&record::MAGIC);
        survive(&path, &image);
        assert_ne!(fs::read(&path).unwrap(), image, "patched");
    }
}

#[test]
fn a_linked_image_survives_damage() {
    let dir = tempfile::tempdir().unwrap();
    let source = r#"
        struct list { struct list *next; };
        __attribute__((used, section(".data..percpu.a"))) struct list head = { &head };
        __attribute__((used, section(".percpu_layout"))) const unsigned long record[266] =
            { 0x0a0d555043524550, 0x10000000001 };
        int main(void) { return 0; }
    "#;
    for flags in [&["-g", "-fPIE", "-pie"][..], &["-fno-pie", "-no-pie", "-Wl,--emit-relocs"]] {
        let Some(image) = cc(dir.path(), "image", source, flags) else { return };
        let bytes = fs::read(&image).unwrap();
        assert!(percpu_link::patch(&image, 3).unwrap().changed, "{flags:?}");
        let path = dir.path().join("damaged");
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..2_000 {
            survive(&path, &damage(&bytes, &mut random));
        }
    }
}
