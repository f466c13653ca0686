//! Per-CPU variables: what `DEFINE_PER_CPU` is to Linux, for Rust.
//!
//! A per-CPU variable has one copy a CPU, and a thread works on the copy of the CPU it runs on: no other CPU writes that
//! cache line, so no atomic instruction is needed. What is needed is that nothing comes in between. In a Linux
//! process restartable sequences see to it: the kernel restarts an operation that it has interrupted.
//!
//! ```
//! use percpu_rt::{per_cpu, possible_cpus};
//!
//! /// Forks seen by each CPU.
//! #[per_cpu]
//! pub static PROCESS_COUNTS: u64 = 0;
//!
//! PROCESS_COUNTS.inc();
//! assert_eq!(PROCESS_COUNTS.sum(), 1);
//! let total: u64 = possible_cpus().map(|cpu| PROCESS_COUNTS.read_on(cpu)).sum();
//! assert_eq!(total, 1);
//! ```
//!
//! # The life of a variable
//!
//! ```text
//!  #[per_cpu] static HITS: u64 = 0;        a template in `.data..percpu.HITS`, and a zero-sized handle
//!        │ rustc, linker                   the linker fragment travels with this crate
//!        ▼
//!  __per_cpu_start [ page_aligned │ first │ hot │ read_mostly │ plain │ shared_aligned │ zeroed ] __per_cpu_end
//!        │ set-up, before `main`           a unit a CPU, the template copied into each, the offset table
//!        ▼
//!  HITS.inc()                              one restartable sequence, no `lock` prefix
//! ```
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | template | the linked initial value of a static per-CPU variable; never a live copy |
//! | unit | the memory of one CPU; in the first chunk it is static, reserved, dynamic, in this order |
//! | chunk | the same offset range in every unit; the first chunk holds the statics |
//! | offset of a CPU | address of its unit less `__per_cpu_start`: template address plus offset is that CPU's copy |
//! | per-CPU pointer | the address that a variable has in the template's space |
//! | possible, online | CPU ids that can ever exist, that run now; units exist for possible CPUs |
//! | orphan | the last possible CPU of a Linux process: the unit of threads without restartable sequences |
//! | word, object, lock | a variable that is changed by whole operations, one that yields shared references, one that yields exclusive ones |
//!
//! # Where to look
//!
//! | in the source | is |
//! |---|---|
//! | [`abi`] | names and arithmetic shared with the linker fragment and percpu-link; pure, and no promise to others |
//! | `arch` | one operation on this CPU's copy, for each architecture; all assembly |
//! | `area` | the template and the units |
//! | `cpu` | [`CpuId`], [`possible_cpus`] and the rest |
//! | `var` | the handle [`PerCpu`] and its methods |
//! | `lock` | [`LocalLock`] |
//! | [`chunk`] | an allocator of the same bytes in every unit; pure, and may be had several times |
//! | `dynamic` | the one of this process: [`alloc_percpu`], [`PerCpuPtr`], [`ModuleArea`] |
//! | `boxed` | variables with an owner, [`PerCpuBox`], and borrowed ones, [`PerCpuRef`] |
//! | `counter` | [`PerCpuCounter`]: one number, added to by every CPU |
//! | `hosted` | Linux processes: set-up, memory, topology |
//! | `kernel` | kernels: set-up at boot, a CPU's base, interrupts |
//! | `macros` | the runtime's half of `#[per_cpu]`'s expansion |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `hosted` | yes | per-CPU variables in Linux processes; the crate stays `no_std` |
//! | `kernel` | no | per-CPU variables in x86-64 kernels, instead of `hosted`: see `kernel` in the source |
//! | `macros` | yes | the attribute [`per_cpu`](macro@per_cpu) |
//! | `checked` | no | [dynamic objects are watched](chunk::checked): double and stale frees, writes past the end and leaks are found and named by their lines; costs memory, and time for each CPU |
//!
//! With neither `hosted`, on a 64-bit Linux, nor `kernel`, on x86-64, only [`abi`] and [`chunk`] are compiled.
//!
//! # Limits
//!
//! - Before set-up, in constructors that run earlier and in their signal handlers, every operation faults: by SIGSEGV, at no
//!   cost for those that run later. No [`CpuId`] exists then, and sums are 0.
//! - A shared object with variables is a domain of its own: the program and every such object have units, sums and
//!   [`CpuId`]s apart. It stays loaded when it is closed. A cdylib can be one; a Rust `dylib` cannot lend its variables to
//!   other crates, and a link that tries fails for a symbol whose name says so.
//! - A forked child has a snapshot of every unit and goes on with it.
//! - Between `vfork` and `exec` no per-CPU operation may run: the child shares the parent's memory, but not the
//!   registration of its restartable sequences.
//! - Possible CPUs are the machine's, also in a container: the kernel reports the machine's numbers.
//!
//! # Linkers
//!
//! The build script links a trial program. Where the linker reads the linker fragment, as LLD does, the variables are ordered by class.
//! Elsewhere all of them go to one section, `__percpu`, and classes keep their alignment alone: `zeroed` variables take
//! bytes in the file. Templates that a linker script takes elsewhere end the link, or fail `cargo percpu-link check` if it is
//! those of one crate alone. `PERCPU_LINK=script` or `PERCPU_LINK=section` in cargo's
//! environment settles it without a trial: `section` is for every linker, and right where the last one differs from the one that
//! cargo knows, as in a static library that C links.
//!
//! # Environment
//!
//! `PERCPU_UNIT_SIZE` sets the address space of a unit in bytes (`K`, `M`, `G`, `T` behind the number multiply). Without it the
//! [layout record](abi::record) does, where `cargo percpu-link` has filled it and it fits the machine. Else a unit
//! takes up to 16 GiB of address space, all units together 1 TiB, and less where the kernel grants less; memory is used for the
//! pages that are used.
#![no_std]

#[cfg(has_backend)]
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod abi;
#[cfg(has_backend)]
mod arch;
#[cfg(has_backend)]
mod area;
#[cfg(has_backend)]
mod boxed;
pub mod chunk;
#[cfg(has_backend)]
mod counter;
#[cfg(has_backend)]
mod cpu;
#[cfg(has_backend)]
mod dynamic;
#[cfg(platform = "hosted")]
mod hosted;
#[cfg(platform = "kernel")]
pub mod kernel;
#[cfg(has_backend)]
mod lock;
mod macros;
#[cfg(has_backend)]
mod primitive;
#[cfg(has_backend)]
mod var;

/// What the expansion of `#[per_cpu]` finds where there is nothing to expand to.
#[cfg(not(has_backend))]
#[doc(hidden)]
pub mod __private {
    pub use crate::{__no_backend as define, __no_backend as refused};
}

#[cfg(has_backend)]
pub use area::unit::{static_size, unit_size};
#[cfg(has_backend)]
pub use boxed::{Object, PerCpuBox, PerCpuRef, Zeroable};
pub use chunk::{AllocError, AllocFlags, FreeError, PerCpuStats};
#[cfg(has_backend)]
pub use counter::{Counter, PerCpuCounter, PerCpuCounters};
#[cfg(has_backend)]
pub use cpu::{CpuId, OnlineCpus, PossibleCpus, nr_cpu_ids, online_cpus, per_cpu_offset, possible_cpus, this_cpu};
#[cfg(has_backend)]
pub use dynamic::{
    ModuleArea, PerCpuPtr, Reservation, alloc_percpu, alloc_percpu_batch, free_percpu, reserve_atomic, stats,
    try_free_percpu,
};
#[cfg(all(has_backend, feature = "checked"))]
pub use dynamic::{check_all, leaks};
/// The platform's part, by a name that the rest of the crate may use.
#[cfg(platform = "hosted")]
use hosted as platform;
#[cfg(platform = "kernel")]
use kernel as platform;
#[cfg(has_backend)]
pub use lock::{LocalLock, LocalLockGuard, LockOnError};
#[cfg(feature = "macros")]
pub use percpu_macros::per_cpu;
#[cfg(has_backend)]
pub use var::{
    bound::{Handed, Shared},
    guard::CpuVar,
    handle::PerCpu,
    kind::{IsDynamic, IsLock, IsObject, IsWord},
    object::Copies,
    remote::Values,
    word::{Bits, Integer, Plain, Scalar, Word},
};

/// The examples of the README, compiled and run.
#[cfg(all(doctest, platform = "hosted", feature = "macros"))]
#[doc = include_str!("../README.md")]
struct Readme;
