//! A crate that forbids unsafe code and denies every warning.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused, rustdoc::all)]

use percpu_rt::per_cpu;

/// A counter.
#[per_cpu]
pub static HITS: u64 = 0;

#[per_cpu(hot)]
static PRIVATE: &str = "private";

#[per_cpu(zeroed)]
static ZEROED: [u64; 4] = [0; 4];

fn main() {
    #[per_cpu(read_mostly)]
    static LOCAL: bool = true;

    HITS.inc();
    assert!(LOCAL.read());
    assert_eq!(PRIVATE.with(|name| name.len()), 7);
    assert_eq!(ZEROED.with(|words| words[3]), 0);
}
