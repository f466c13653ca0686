//! Dynamic per-CPU memory of this process: the one allocator of its units, and the raw interface to it.
//!
//! ```text
//!             ◀──────────── first chunk, open from the start ───────────▶◀─ opened by pages, and closed again ─ ─
//!  each unit ┌────────────────┬──────────┬──────────────────────────────┬──────────────────────────────────── ─
//!            │ static         │ reserved │ dynamic                      │ further chunks
//!            └────────────────┴──────────┴──────────────────────────────┴──────────────────────────────────── ─
//!                              ▲ `RESERVED`  ▲ everything else, lowest first
//!                              └ when it is full ──▶
//! ```
//!
//! | file | is |
//! |---|---|
//! | `areas` | which offsets are whose |
//! | `chunks` | the units' pages, and further chunks of them on demand |
//! | `global` | the two allocators with their locks, and which of them is asked |
//! | `raw` | [`alloc_percpu`] and the like |
//! | `pointer` | [`PerCpuPtr`] |
//! | `module` | [`ModuleArea`] |
//!
//! # Rules
//!
//! - Nothing exists before set-up: every call says [`NotSetUp`](crate::AllocError::NotSetUp).
//! - The first chunk needs no system call, ever: what is allocated early or with [`ATOMIC`](crate::AllocFlags::ATOMIC) finds it
//!   open.
//! - A signal handler never waits for the thread that it has interrupted: it is told
//!   [`Busy`](crate::AllocError::Busy).
//! - Whoever forks holds the locks meanwhile, so the child finds them free and its objects where they were.

mod areas;
mod chunks;
mod global;
mod module;
mod pointer;
mod raw;

pub(crate) use areas::Areas;
pub(crate) use global::{after_fork, before_fork, set_up};
pub use module::ModuleArea;
pub use pointer::PerCpuPtr;
pub use raw::{alloc_percpu, alloc_percpu_batch, free_percpu, stats, try_free_percpu};
