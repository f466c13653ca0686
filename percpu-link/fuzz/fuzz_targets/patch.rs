//! No input makes `patch` panic, write outside of a record, or write twice.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use percpu_rt::abi::record;

fuzz_target!(|bytes: &[u8]| {
    let path = percpu_link_fuzz::file(bytes);
    let result = percpu_link::patch(path, 3);
    let after = fs::read(path).expect("the file is this process's own");
    assert_eq!(after.len(), bytes.len());
    let differs = |at: &usize| after[*at] != bytes[*at];
    let Some(first) = (0..bytes.len()).find(differs) else { return };
    assert!(result.expect("an error writes nothing").changed);
    assert!(!percpu_link::patch(path, 3).expect("a patched file is a good one").changed);
    let last = (0..bytes.len()).rfind(differs).unwrap_or(first);
    // Any in front may be the record: what the old one held can look like the head of another.
    let mut starts = (0..=first).filter(|at| bytes[*at..].starts_with(&record::MAGIC));
    let is_within = |start: usize| {
        let Some(capacity) = bytes[start..].get(12..).and_then(|bytes| bytes.first_chunk()) else { return false };
        // In one of the two byte orders it is as good as the size of the section, in the other far larger.
        let capacity = u32::from_le_bytes(*capacity).min(u32::from_be_bytes(*capacity));
        last < start + record::size(capacity)
    };
    assert!(starts.any(is_within), "{first}..={last} are in no record");
});
