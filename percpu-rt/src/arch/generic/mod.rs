//! Every other target, and Miri: atomics, no instruction in assembly.
//!
//! A thread asks the operating system for its CPU's number and runs one atomic operation on that copy, relaxed but for pointers. It may
//! have been moved on by then, so two CPUs may meet on one copy; being atomic, the operation is exact all the
//! same, and all that migration costs is the line's travel.
//!
//! Before set-up every offset is a poison: an address that no process can map.

pub(super) mod copy;
pub(super) mod cpu;
pub(super) mod entry;
pub(super) mod lock;
#[cfg(has_stock)]
pub(super) mod magazine;
mod word;
