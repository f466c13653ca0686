//! `Sync` and `Send` as the handles ask for them: with messages that say what to write instead.

/// `Sync`, for an object that threads share.
///
/// A copy is reached from every thread that runs on its CPU, and by name from all others.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared between threads, so its per-CPU copies cannot be borrowed",
    label = "not `Sync`",
    note = "declare a `LocalLock<{Self}>` for `&mut` to one copy at a time, without the `Cell` or `RefCell` if there is one",
    note = "or make it of atomics, for copies that are shared"
)]
pub trait Shared: Sync {}

#[diagnostic::do_not_recommend]
impl<T: Sync + ?Sized> Shared for T {}

/// `Send`, for a value that one thread after the other holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed from thread to thread, so no lock makes its per-CPU copies usable",
    label = "not `Send`",
    note = "keep it in a `thread_local!`, or use a type that is `Send`: `Arc` for `Rc`, an index for a raw pointer"
)]
pub trait Handed: Send {}

#[diagnostic::do_not_recommend]
impl<T: Send> Handed for T {}
