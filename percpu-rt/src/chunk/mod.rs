//! Dynamic per-CPU memory: an allocator of the same bytes in every unit.
//!
//! ```text
//!                  offset 0                                                                  ─▶
//!  unit of CPU 0  ┌────────┬──────────┬──────────────────────┬──────────────┬──────────── ─
//!                 │ static │ reserved │ dynamic              │ chunk        │ chunk
//!  unit of CPU 1  ├────────┼──────────┼───────┬────┬─────────┼─────┬────┬───┼──────────── ─
//!                 │ static │ reserved │       │ an │ object  │     │ an │ other
//!      …          └────────┴──────────┴───────┴────┴─────────┴─────┴────┴───┴──────────── ─
//! ```
//!
//! An object has the same offset in every unit, so one number stands for all of its copies. What is free is
//! decided once, for all units, and the units' memory is touched only to populate pages and to zero what was used
//! before.
//!
//! # Rules
//!
//! - The lock guards the map and the counts, and is held for the time of a search. Pages are populated, given back and zeroed
//!   without it; nobody can be given them meanwhile, and whoever would be refused for want of them waits.
//! - An allocation either is whole, populated and zero in every unit, or has changed nothing.
//! - A page that becomes empty stays populated for a while, and its used part is remembered: what was never handed out
//!   since a page was populated is not zeroed again.
//!
//! # Where to look
//!
//! | file | is |
//! |---|---|
//! | `map` | which bytes are whose: every decision, without memory |
//! | `allocator` | the map with its memory and its lock: [`Allocator`] |
//! | `state`, `bring` | what its lock guards; what an allocation gets without the lock |
//! | `reserve` | room for atomic allocations |
//! | `cache`, `capacity` | places in stock, a CPU: [`Cache`]; how many of each size |
//! | `supply` | for stocks that no [`Cache`] is behind |
//! | `memory`, `lock` | what a platform supplies: [`Memory`], [`RawLock`] |
//! | `locked` | a value that a lock guards |
//! | `zero` | zeroing by looking first |
//! | [`checked`] | the allocator once more, finding the mistakes of its users |
//! | `flags`, `error`, `stats` | [`AllocFlags`], [`AllocError`], [`FreeError`], [`PerCpuStats`] |

mod allocator;
mod bring;
mod cache;
mod capacity;
pub mod checked;
mod error;
mod flags;
mod lock;
mod locked;
mod map;
mod memory;
mod reserve;
mod state;
mod stats;
#[cfg(has_stock)]
pub(crate) mod supply;
mod zero;

pub use allocator::Allocator;
pub use cache::Cache;
pub use error::{AllocError, FreeError};
pub use flags::AllocFlags;
pub use lock::{RawLock, SpinLock};
pub use map::holes::GRANULE;
#[cfg(all(has_backend, not(feature = "checked")))]
pub(crate) use map::request::Placed;
pub use memory::{Memory, MetadataPage, Refused};
pub use stats::PerCpuStats;
