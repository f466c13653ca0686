//! A `&mut` in the template would be one value behind every copy.

use std::sync::Mutex;

use percpu_rt::per_cpu;

#[per_cpu]
static BUFFER: Mutex<&'static mut [u8]> = Mutex::new(&mut [0]);

fn main() {}
