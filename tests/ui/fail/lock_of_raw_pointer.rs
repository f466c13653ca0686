//! `&mut` to a type that is not `Send` itself, where the message of the handle's own bound shows.

use percpu_rt::{LocalLock, per_cpu};

#[per_cpu]
static POINTER: LocalLock<*const u8> = LocalLock::new(std::ptr::null());

fn main() {
    POINTER.lock();
}
