//! What a fork has to leave in order.

use super::failure::Failure;
use super::records;
use crate::{dynamic, lock};

/// Has the allocator's locks taken by whoever forks, so that in the child no thread holds them that is not there; and has the
/// child told to those who ask which threads are left.
///
/// # Errors
///
/// [`Failure::Fork`] where there is no memory for the entry.
pub(super) fn watch() -> Result<(), Failure> {
    unsafe extern "C" fn before() {
        dynamic::before_fork();
        records::before_fork();
    }
    unsafe extern "C" fn in_parent() {
        records::after_fork();
        dynamic::after_fork();
    }
    unsafe extern "C" fn in_child() {
        lock::after_fork();
        records::after_fork();
        dynamic::after_fork();
        dynamic::in_child();
    }
    // SAFETY: functions that may run around a fork: they change some words, and wait for nobody who waits for the
    // forking thread.
    let errno = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    if errno == 0 { Ok(()) } else { Err(Failure::Fork { errno }) }
}
