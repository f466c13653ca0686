//! What rustc says where a variable is used as one of another kind, or as a plain value.
//!
//! A kind has no methods of the others, and "no method named `inc`" does not tell what to write instead. So their names
//! stand here once more, hidden from the documentation, each behind a bound that no type fulfils and whose message
//! is the remedy. None of them can be called, and a program that compiles contains none.

use core::fmt;

use super::handle::PerCpu;
use super::kind::{IsDynamic, IsLock, IsObject, IsWord};
use crate::cpu::CpuId;
use crate::lock::LocalLock;

/// No word is borrowed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a word: its per-CPU copies are neither borrowed nor locked",
    label = "not for words",
    note = "write `.read()` for this CPU's value, `.read_on(cpu)` or `.iter()` for the others'",
    note = "to change it, write one whole operation, such as `.add(1)` or `.write(..)`: it needs no lock"
)]
pub trait Borrowed {}

/// No word's operation takes a memory order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a word, not an atomic: its operations have names of their own and take no memory order",
    label = "an atomic's method",
    note = "write `.read()` for `load`, `.write(..)` for `store`, `.xchg(..)` for `swap`, `.sub(1)` for `fetch_sub`, \
            `.cmpxchg(old, new)` for `compare_exchange`"
)]
pub trait Atomic {}

/// No object has operations.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is an object: its handle lends references and has no operations",
    label = "not for objects",
    note = "write `.with(|value| ..)` for this CPU's copy, `.on(cpu)` or `.iter()` for the others'",
    note = "to change it, make it of atomics, or declare a `LocalLock<{Self}>`, whose `.with(|value| ..)` gives `&mut`",
    note = "operations are for words: integers of 8 to 64 bits, `bool`, thin pointers and, in statics, `&'static` references"
)]
pub trait Operated {}

/// No object is locked.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is an object that is shared, not a lock",
    label = "not for objects",
    note = "declare a `LocalLock<{Self}>`, or write `.with(|value| ..)` for a shared reference"
)]
pub trait Locked {}

/// What a lock holds has no operations.
#[diagnostic::on_unimplemented(
    message = "a `LocalLock` has no operations, whatever it holds",
    label = "not for locks",
    note = "write `.with(|value| ..)` or `.lock()` for `&mut {Self}`, `.lock_on(cpu)` for another CPU's",
    note = "an integer, `bool` or pointer needs no lock: declared without `LocalLock` it has operations"
)]
pub trait OperatedInLock {}

/// What a lock holds is not lent without locking.
#[diagnostic::on_unimplemented(
    message = "the copies of a `LocalLock` are locked, not borrowed",
    label = "not for locks",
    note = "write `.with(|value| ..)` or `.lock()` for this CPU's copy, `.lock_on(cpu)` for another's"
)]
pub trait BorrowedFromLock {}

/// No lock is locked but by a handle.
#[diagnostic::on_unimplemented(
    message = "a `LocalLock` is locked through the handle of a per-CPU variable",
    label = "there is no handle",
    note = "write `#[per_cpu]` above a `static NAME: LocalLock<{Self}>`, and lock `NAME`",
    note = "for a lock that is no per-CPU variable write `Mutex<{Self}>`"
)]
pub trait LockedWithoutHandle {}

/// No variable is one value.
#[diagnostic::on_unimplemented(
    message = "a per-CPU `{Self}` has a value on each CPU, and cannot be formatted as one",
    label = "which of its values?",
    note = "write `.read()` for this CPU's value of a word, `.sum()` for that of all CPUs together",
    note = "what an object or a lock holds is formatted inside of `.with(|value| ..)`"
)]
pub trait OneValue {}

#[doc(hidden)]
impl<P, T: OneValue, K> fmt::Display for PerCpu<P, T, K> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        unreachable!()
    }
}

/// Methods that nobody can call. Each line has its bound as tokens, so that the line is what rustc shows.
macro_rules! signposts {
    ($($method:ident($($argument:ident: $type:ty),*) [$($bound:tt)*];)*) => {$(
        pub fn $method<R>(&self, $($argument: $type),*) -> R
        where
            $($bound)*,
        {
            $(_ = $argument;)*
            unreachable!()
        }
    )*};
}

#[doc(hidden)]
impl<P, T> PerCpu<P, T, IsWord> {
    signposts! {
        with(f: impl FnOnce(&T) -> R) [T: Borrowed];
        get_cpu_var() [T: Borrowed];
        on(cpu: CpuId) [T: Borrowed];
        lock() [T: Borrowed];
        try_lock() [T: Borrowed];
        lock_on(cpu: CpuId) [T: Borrowed];

        load(order: impl Sized) [T: Atomic];
        store(value: impl Sized, order: impl Sized) [T: Atomic];
        swap(value: impl Sized, order: impl Sized) [T: Atomic];
        fetch_sub(value: impl Sized, order: impl Sized) [T: Atomic];
        compare_exchange(old: impl Sized, new: impl Sized, success: impl Sized, failure: impl Sized) [T: Atomic];
    }
}

#[doc(hidden)]
impl<P, T> PerCpu<P, T, IsObject> {
    signposts! {
        read() [T: Operated];
        write(value: impl Sized) [T: Operated];
        xchg(value: impl Sized) [T: Operated];
        cmpxchg(old: impl Sized, new: impl Sized) [T: Operated];
        and(value: impl Sized) [T: Operated];
        or(value: impl Sized) [T: Operated];
        xor(value: impl Sized) [T: Operated];
        inc() [T: Operated];
        dec() [T: Operated];
        add(value: impl Sized) [T: Operated];
        sub(value: impl Sized) [T: Operated];
        add_return(value: impl Sized) [T: Operated];
        read_on(cpu: CpuId) [T: Operated];
        write_on(cpu: CpuId, value: impl Sized) [T: Operated];
        sum() [T: Operated];

        lock() [T: Locked];
        try_lock() [T: Locked];
        lock_on(cpu: CpuId) [T: Locked];

        // The object's own, where it is an atomic.
        load(order: impl Sized) [T: Operated];
        store(value: impl Sized, order: impl Sized) [T: Operated];
        swap(value: impl Sized, order: impl Sized) [T: Operated];
        fetch_add(value: impl Sized, order: impl Sized) [T: Operated];
        fetch_sub(value: impl Sized, order: impl Sized) [T: Operated];
    }
}

/// What no handle of a lock can do.
macro_rules! signposts_of_locks {
    ($($kind:ty),*) => {$(
        #[doc(hidden)]
        impl<P, T> PerCpu<P, LocalLock<T>, $kind> {
            signposts! {
                read() [T: OperatedInLock];
                write(value: impl Sized) [T: OperatedInLock];
                xchg(value: impl Sized) [T: OperatedInLock];
                cmpxchg(old: impl Sized, new: impl Sized) [T: OperatedInLock];
                and(value: impl Sized) [T: OperatedInLock];
                or(value: impl Sized) [T: OperatedInLock];
                xor(value: impl Sized) [T: OperatedInLock];
                inc() [T: OperatedInLock];
                dec() [T: OperatedInLock];
                add(value: impl Sized) [T: OperatedInLock];
                sub(value: impl Sized) [T: OperatedInLock];
                add_return(value: impl Sized) [T: OperatedInLock];
                fetch_add(value: impl Sized) [T: OperatedInLock];
                read_on(cpu: CpuId) [T: OperatedInLock];
                write_on(cpu: CpuId, value: impl Sized) [T: OperatedInLock];
                sum() [T: OperatedInLock];

                get_cpu_var() [T: BorrowedFromLock];
                on(cpu: CpuId) [T: BorrowedFromLock];
                iter() [T: BorrowedFromLock];
            }
        }
    )*};
}
signposts_of_locks!(IsLock, IsDynamic);

#[doc(hidden)]
impl<T> LocalLock<T> {
    signposts! {
        with(f: impl FnOnce(&mut T) -> R) [T: LockedWithoutHandle];
        lock() [T: LockedWithoutHandle];
        try_lock() [T: LockedWithoutHandle];
        lock_on(cpu: CpuId) [T: LockedWithoutHandle];
    }
}
