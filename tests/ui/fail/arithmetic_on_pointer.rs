//! A pointer has no arithmetic: adding one to it is not adding one element.

use std::ptr;

use percpu_rt::per_cpu;

#[per_cpu]
static HEAD: *mut u8 = ptr::null_mut();

fn main() {
    HEAD.inc();
    HEAD.and(ptr::null_mut());
}
