//! Linux processes: how a process plays kernel.
//!
//! ```text
//! loader ─▶ .init_array.00098 ─▶ set_up ─┬─ topology: which CPU numbers can the kernel ever report?
//!                                        ├─ image:    where is the template, how is it aligned?
//!                                        ├─ pin:      a shared object stays loaded, whoever closes it
//!                                        ├─ record:   has the post-link step laid out the units?
//!                                        ├─ memory:   one reservation of all units, the first chunk opened in each
//!                                        ├─ nodes:    each unit is to come from its CPU's NUMA node
//!                                        ├─ area:     template into every unit, initializers, offset table
//!                                        ├─ dynamic:  what is behind the static part becomes the allocator's
//!                                        └─ rseq:     where are the threads' `struct rseq`? then arm
//! ```
//!
//! Everything happens before `main` and before any constructor of ordinary priority, on one thread. A failure ends
//! the process with the reason and the remedy: there is nobody yet to return it to.
//!
//! What the allocator of dynamic objects asks of a platform is in `chunks` and `pages` (the units' pages), `records` (pages of its
//! own), `mutex` and `per_cpu`; `fork` keeps it usable in a child.
//!
//! Limits, all of them the platform's:
//! - A shared object with variables (a cdylib) is a domain of its own and stays loaded after `dlclose`.
//! - A forked child has a snapshot of every unit.
//! - Between `vfork` and `exec` the child shares the parent's memory but not its registration: no per-CPU
//!   operation may run there.
//! - Possible CPUs are the kernel's, not the container's: `cpu_id` is the host's number.

mod chunks;
mod errno;
mod failure;
mod fork;
mod futex;
mod image;
mod membarrier;
mod memory;
mod mutex;
mod nodes;
mod pages;
mod per_cpu;
mod pin;
mod record;
mod records;
mod rseq;
mod set_up;
mod text;
mod topology;

pub(crate) use chunks::Chunks;
pub(crate) use futex::{wait, wake_all};
pub(crate) use membarrier::{barrier_on_all_cpus, can_restart_sequences, restart_sequences};
pub(crate) use mutex::Mutex;
pub(crate) use pages::wait_for_another;
pub(crate) use per_cpu::{has_allocator, per_cpu_address, per_cpu_offset_of};
pub(crate) use records::is_busy_here as records_are_busy_here;
pub(crate) use topology::online;

/// Frees give pages back at once.
pub(crate) const BALANCES_ON_FREE: bool = true;
