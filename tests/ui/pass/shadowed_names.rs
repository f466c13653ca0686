//! Nothing in scope changes the meaning of the expansion.

#![allow(dead_code, non_camel_case_types, unused_macros)]

mod core {}
mod std {}
mod alloc {}
mod percpu_rt {}

struct u8;
mod u64 {}

struct Option;
struct Some;
struct None;
struct Ok;
struct Result;
struct Sync;
struct Send;
struct Sized;
struct Copy;
struct usize;
struct CpuId;
struct PerCpu;
struct IsWord;

trait Drop {}
trait Word {}

macro_rules! define {
    () => {};
}

macro_rules! concat {
    () => {};
}

macro_rules! stringify {
    () => {};
}

const __PERCPU_IS_WORD: bool = false;

#[::percpu_rt::per_cpu]
static HITS: i64 = 0;

#[::percpu_rt::per_cpu(hot)]
static OBJECT: [i64; 2] = [1, 2];

#[::percpu_rt::per_cpu(zeroed, init = seed)]
static SEEDED: i64 = 0;

unsafe fn seed(_: ::percpu_rt::CpuId, copy: *mut i64) {
    // SAFETY: set-up passes the address of a copy that nothing else can reach yet.
    unsafe { copy.write(7) }
}

fn main() {
    HITS.inc();
    assert!(HITS.sum() == 1);
    assert!(OBJECT.with(|object| object[1]) == 2);
    assert!(SEEDED.read() == 7);
}
