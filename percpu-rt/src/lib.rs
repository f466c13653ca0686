//! Per-CPU variables for kernels and for Linux processes.
#![no_std]

pub mod abi;
mod macros;

#[cfg(has_backend)]
mod arch;
#[cfg(has_backend)]
mod area;
#[cfg(has_backend)]
mod cpu;
#[cfg(has_backend)]
mod hosted;
#[cfg(has_backend)]
use hosted as platform;
#[cfg(has_backend)]
mod var;

#[doc(hidden)]
#[cfg(has_backend)]
#[path = "private.rs"]
pub mod __private;

#[cfg(has_backend)]
pub use area::unit::{static_size, unit_size};
#[cfg(has_backend)]
pub use cpu::{CpuId, Cpus, nr_cpu_ids, online_cpus, per_cpu_offset, possible_cpus, this_cpu};
#[cfg(feature = "macros")]
pub use percpu_macros::per_cpu;
#[cfg(has_backend)]
pub use var::guard::CpuVar;
#[cfg(has_backend)]
pub use var::handle::PerCpu;
#[cfg(has_backend)]
pub use var::kind::{IsObject, IsWord};
#[cfg(has_backend)]
pub use var::word::{Bits, Integer, Word};
