//! `&mut` to a pointer that must not leave its thread.

use percpu_rt::{LocalLock, per_cpu};

#[per_cpu]
static POINTER: LocalLock<*const u8> = LocalLock::new(std::ptr::null());

fn main() {
    POINTER.lock();
}
