//! A keyword as a name.

#![allow(non_upper_case_globals)]

use percpu_rt::per_cpu;

#[per_cpu]
static r#type: u64 = 0;

#[per_cpu(hot)]
static r#loop: [u8; 3] = [1, 2, 3];

fn main() {
    r#type.inc();
    assert_eq!(r#type.sum(), 1);
    assert_eq!(r#loop.with(|bytes| bytes[2]), 3);
}
