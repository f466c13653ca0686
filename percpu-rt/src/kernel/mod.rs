//! Kernels: what a Linux process finds done before `main`, a kernel does at boot.
//!
//! ```text
//!  boot CPU      poison ─▶ setup_per_cpu_areas ─▶ install ─▶ variables
//!                             │ first chunk: allocated by node, mapped page by page, or reserved by the linker script
//!                             │ template into every unit, initializers, offset table
//!                             └ set_up_allocator: dynamic objects, over a provider of pages
//!  other CPUs    poison ─────────────────────────────────────▶ install ─▶ variables
//! ```
//!
//! # Rules
//!
//! - Everything that can be wrong is found before the first byte is written, and told with its numbers: [`SetupError`].
//! - A unit is usable from the moment its CPU [installs](install) it, and by others through its [`CpuId`](crate::CpuId) from the end of
//!   set-up on. It keeps what it holds while its CPU is offline.
//! - Word operations are exact against every handler. What lends `&T` to a value that is not `Sync` has interrupts off, and so it is
//!   for code that no handler runs that cannot be turned off: see [`install`].
//!
//! - `cpus`: which CPUs there can be. `memory`: where units come from. `error`: what may be wrong.
//! - `set_up`: the first chunk and what is written to it. `units`: where each unit lies, in each form of it.
//! - `allocator`: dynamic objects; `chunks`: further chunks of units. `records`, `mutex`: what its own book-keeping needs.
//! - `base`: a CPU's base. `interrupts`, `preemption`: the guards. `lock`: what a `LocalLock` asks of a platform.

mod allocator;
mod base;
mod chunks;
mod cpus;
mod error;
pub(crate) mod interrupts;
mod lock;
mod memory;
mod mutex;
pub(crate) mod preemption;
mod records;
mod set_up;
#[cfg(test)]
mod tests;
mod units;

pub use allocator::{balance, set_up_allocator};
pub(crate) use allocator::{has_allocator, per_cpu_address, per_cpu_offset_of};
pub(crate) use base::online;
pub use base::{install, poison, set_online};
pub(crate) use chunks::Chunks;
pub use cpus::PossibleCpu;
pub use error::SetupError;
pub use interrupts::InterruptGuard;
pub(crate) use lock::{barrier_on_all_cpus, can_restart_sequences, restart_sequences, wait, wake_all};
pub use memory::{NodeMemory, PageMemory};
pub(crate) use mutex::Mutex;
pub use preemption::{Preemption, PreemptionGuard, set_preemption};
pub(crate) use records::is_busy_here as records_are_busy_here;
pub use set_up::{Areas, FirstChunk, setup_per_cpu_areas};

/// Frees may come from interrupts: pages are given back by [`balance`].
pub(crate) const BALANCES_ON_FREE: bool = false;
