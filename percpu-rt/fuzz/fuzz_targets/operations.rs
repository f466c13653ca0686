//! Any operations on an allocator, against the naive model.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| percpu_rt_fuzz::run(bytes));
