//! What a forked child has to know.

/// Has the child of every `fork` told to those who ask which threads are left.
pub(super) fn watch() {
    unsafe extern "C" fn in_child() {
        crate::lock::after_fork();
    }
    // SAFETY: a function that may run in the child: it changes two words. Where there is no memory for the entry,
    // a child would sleep on what its parent's threads held, as with any mutex.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}
