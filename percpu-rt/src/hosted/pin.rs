//! Keeping a shared object with per-CPU variables loaded.
//!
//! A thread's `struct rseq` points at the descriptor of its last sequence until the kernel looks at it, which may be after
//! `dlclose`: at an address that is unmapped then, the kernel kills the process. Operations also lend `&'static T`, and
//! the fork handler stays registered. So the object stays, and opening it again finds its variables as they were.

use super::failure::Failure;
use super::image::Image;

/// Has `dlclose` leave the object where it is.
#[cfg(all(target_env = "gnu", not(target_feature = "crt-static")))]
pub(super) fn pin(image: Image) -> Result<(), Failure> {
    // The program itself stays anyway, and cannot be opened.
    if image.name.is_empty() {
        return Ok(());
    }
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: a C string; the object is loaded, so no constructor runs. The handle is kept, as the object is.
    let handle = unsafe { libc::dlopen(image.name.as_ptr(), flags) };
    if handle.is_null() { Err(Failure::Pin) } else { Ok(()) }
}

/// Nothing to be done: a static program has no objects to close, and musl's `dlclose` leaves all where they are.
#[cfg(not(all(target_env = "gnu", not(target_feature = "crt-static"))))]
pub(super) fn pin(_: Image) -> Result<(), Failure> {
    Ok(())
}
