//! CPUs by name: which can exist, which run, and on which a thread is.
//!
//! - [`CpuId`]: the number of a possible CPU; one that exists proves that its unit does.
//! - [`possible_cpus`], [`online_cpus`]: loops over them.
//! - `list`: the text form in which Linux tells sets of CPUs.

mod id;
pub(crate) mod list;
mod set;

pub use id::{CpuId, per_cpu_offset, this_cpu};
pub(crate) use set::{Bits, publish};
pub use set::{Cpus, nr_cpu_ids, online_cpus, possible_cpus};
