//! CPUs by name: which can exist, which run, and on which a thread is.
//!
//! - [`CpuId`]: the number of a possible CPU; one that exists proves that its unit does.
//! - [`possible_cpus`], [`online_cpus`]: loops over them; `set`: the sets behind the loops.
//! - `list`: the text form in which Linux tells sets of CPUs.

mod id;
mod iter;
#[cfg(platform = "hosted")]
pub(crate) mod list;
mod set;

pub use id::{CpuId, per_cpu_offset, this_cpu};
pub use iter::{OnlineCpus, PossibleCpus, online_cpus, possible_cpus};
pub(crate) use set::Bits;
pub use set::nr_cpu_ids;
#[cfg(platform = "kernel")]
pub(crate) use set::publish_all;
#[cfg(platform = "hosted")]
pub(crate) use set::{announce_orphan, publish};
