//! One operation at a time on this CPU's copy of a variable: the backends, and what each must supply.
//!
//! | backend | this CPU's copy is found by | an operation is |
//! |---|---|---|
//! | `x86_64` | `cpu_id` of the thread's `struct rseq`, read inside the sequence | one restartable sequence with one commit instruction, no `lock` |
//! | `generic` | the operating system's CPU number, a hint | one relaxed atomic operation, exact wherever it lands |
//!
//! A backend is a folder with these files:
//!
//! - `entry.rs`: a macro `entry!(set_up)` that defines the words an operation reads ([`symbol::OFFSET_TABLE`],
//!   the poison) together with the start-up hook that calls `set_up`, and the functions that reach those words;
//! - `cpu.rs`: `current_cpu() -> usize`, the number under which the running thread's unit stands in the table;
//! - `word.rs`: the implementations of [`LocalWord`] and [`LocalInteger`];
//! - `wide.rs`, where the architecture has the means: the one of `LocalWide`.
//!
//! Nothing in here knows of guards, handles or `CpuId`s: a CPU is its number, a variable its per-CPU pointer.
//!
//! [`symbol::OFFSET_TABLE`]: crate::abi::symbol::OFFSET_TABLE

// The build script chooses, by target and by `--cfg percpu_backend="generic"`.
#[cfg(backend = "generic")]
mod generic;
#[cfg(backend = "x86_64")]
mod x86_64;

use core::sync::atomic::Ordering;

#[cfg(backend = "generic")]
use generic as imp;
pub(crate) use imp::cpu::current_cpu;
pub(crate) use imp::entry::{arm, entry, init_bounds, offset_table};
#[cfg(backend = "x86_64")]
use x86_64 as imp;

/// CPU numbers that the offset table has room for: Linux's largest `NR_CPUS`. On a machine with larger numbers all
/// threads are served as those without restartable sequences.
pub(crate) const MAX_CPUS: usize = 8192;

/// The entry of the offset table that threads without a CPU number of their own use: the orphan unit's.
pub(crate) const ORPHAN_SLOT: usize = MAX_CPUS;

/// The copy of the variable at per-CPU pointer `place` in the unit that stands at `slot` of the offset table.
///
/// The table's entries are pointers into the units' memory, moved to the address that is the offset. So the sum
/// below is that memory's pointer again: a copy is not part of the template's allocation, and no pointer to the
/// template is ever stretched to reach it.
#[inline(always)]
pub(crate) fn locate(place: *mut u8, slot: usize) -> *mut u8 {
    offset_table()[slot].load(Ordering::Relaxed).wrapping_byte_add(place.addr())
}

/// A value that this CPU's copy can be read, written and exchanged as.
///
/// Every operation happens as a whole on one CPU's copy: that of the CPU on which the thread runs at the moment
/// the operation takes effect (on the generic backend: ran, at a moment inside the call). Nothing that runs on
/// that CPU, be it another thread or a signal handler, comes between its reading and its writing.
///
/// # Safety
///
/// Implementations keep the promise above and touch no byte outside the variable.
pub(crate) unsafe trait LocalWord: Copy {
    /// Reads this CPU's copy.
    ///
    /// # Safety
    ///
    /// For this function and all others of the backends: `place` is the per-CPU pointer of a live, aligned variable of this
    /// type, whose every copy is initialised, and which is accessed through these traits and by atomic loads and
    /// stores of its own width alone.
    unsafe fn read(place: *mut Self) -> Self;
    /// Writes this CPU's copy.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn write(place: *mut Self, value: Self);
    /// Replaces the value and returns the old one.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn xchg(place: *mut Self, value: Self) -> Self;
    /// Replaces the value if it is `old`; returns the value found.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn cmpxchg(place: *mut Self, old: Self, new: Self) -> Self;
}

/// A value that this CPU's copy can be counted and masked as; arithmetic wraps.
///
/// # Safety
///
/// As [`LocalWord`].
pub(crate) unsafe trait LocalInteger: LocalWord {
    /// Adds one.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn inc(place: *mut Self);
    /// Subtracts one.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn dec(place: *mut Self);
    /// Adds `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn add(place: *mut Self, value: Self);
    /// Keeps the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn and(place: *mut Self, value: Self);
    /// Sets the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn or(place: *mut Self, value: Self);
    /// Flips the bits of `value`.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn xor(place: *mut Self, value: Self);
    /// Adds `value` and returns the sum.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn add_return(place: *mut Self, value: Self) -> Self;
    /// Adds `value` and returns the value before.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`].
    unsafe fn fetch_add(place: *mut Self, value: Self) -> Self;
}

/// The two operations of a 16-byte word.
///
/// # Safety
///
/// As [`LocalWord`].
#[cfg(backend = "x86_64")]
pub(crate) unsafe trait LocalWide: Copy {
    /// Reads this CPU's copy.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`], but through this trait alone.
    unsafe fn read(place: *mut Self) -> Self;
    /// Replaces the value if it is `old`; returns the value found.
    ///
    /// # Safety
    ///
    /// As [`LocalWord::read`], but through this trait alone.
    unsafe fn cmpxchg(place: *mut Self, old: Self, new: Self) -> Self;
}
