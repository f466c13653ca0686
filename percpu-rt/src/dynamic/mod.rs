//! Dynamic per-CPU memory of this process: the one allocator of its units, and the raw interface to it.
//!
//! ```text
//!             ◀─── first chunk, and a mebibyte behind it: open from the start ──▶◀─ opened by pages, and closed again ─ ─
//!  each unit ┌────────────────┬──────────┬──────────────────────────────────────┬───────────────────────────────── ─
//!            │ static         │ reserved │ dynamic                              │ further chunks
//!            └────────────────┴──────────┴──────────────────────────────────────┴───────────────────────────────── ─
//!                              ▲ `RESERVED`  ▲ everything else, lowest first
//!                              └ when it is full ──▶
//! ```
//!
//! | file | is |
//! |---|---|
//! | `areas` | which offsets are whose |
//! | `area` | one allocator: `area/plain.rs`, or with the feature `checked` `area/checked.rs` |
//! | `global` | the two allocators with their locks, and which of them is asked |
//! | `raw` | [`alloc_percpu`] and the like |
//! | `stock` | places that each CPU keeps for variables with an owner |
//! | `postponed` | what handlers free in the middle of all this |
//! | `reservation` | [`Reservation`]: objects allocated ahead |
//! | `pointer` | [`PerCpuPtr`] |
//! | `module` | [`ModuleArea`] |
//! | `watch` | what the checked mode tells |
//!
//! # Rules
//!
//! - Nothing exists before set-up: every call says [`NotSetUp`](crate::AllocError::NotSetUp).
//! - The first chunk needs no system call, ever: what is allocated early or with [`ATOMIC`](crate::AllocFlags::ATOMIC) finds it
//!   open.
//! - A signal handler never waits for the thread that it has interrupted: it is told
//!   [`Busy`](crate::AllocError::Busy). A box that it drops is freed by the next call.
//! - Whoever forks holds the locks meanwhile, so the child finds them free and its objects where they were. Only that of the stock's
//!   emptier is not waited for, and what it guards is in order at every moment.

#[cfg_attr(feature = "checked", path = "area/checked.rs")]
#[cfg_attr(not(feature = "checked"), path = "area/plain.rs")]
mod area;
mod areas;
mod global;
mod module;
mod pointer;
mod postponed;
mod raw;
mod reservation;
#[cfg(has_stock)]
pub(crate) mod stock;
#[cfg(feature = "checked")]
mod watch;

pub(crate) use areas::Areas;
#[cfg(platform = "kernel")]
pub(crate) use global::balance;
#[cfg(platform = "hosted")]
pub(crate) use global::{after_fork, before_fork, in_child};
pub(crate) use global::{postpone, set_up};
pub use module::ModuleArea;
pub use pointer::PerCpuPtr;
pub use raw::{alloc_percpu, alloc_percpu_batch, free_percpu, reserve_atomic, stats, try_free_percpu};
pub use reservation::Reservation;
#[cfg(feature = "checked")]
pub use watch::{check_all, leaks};
