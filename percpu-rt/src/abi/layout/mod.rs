//! The arithmetic of the first chunk: how large a unit is, and where each CPU's unit lies.
//!
//! It gives the same answers as Linux's `pcpu_build_alloc_info` (mm/percpu.c), so that a layout printed by the
//! tool, set up by the runtime and logged by a Linux kernel are one and the same. The steps:
//!
//! ```text
//!  static + reserved + dynamic ──▶ a unit, page-aligned, at least 32 KiB           sizes.rs
//!  unit, rounded up to atoms   ──▶ an allocation, which several units may share ┐
//!  CPUs, by node distance      ──▶ groups, which share no allocation            │ chunk.rs
//!  waste and memory in balance ──▶ units per allocation, and a number each unit ┘
//!
//!          group 0 (node 0)                          group 1 (node 1)
//!  ┌─────────────┬─────────────┬──────┐      ┌─────────────┬──────┬──────┐
//!  │ unit, cpu 0 │ unit, cpu 1 │ hole │      │ unit, cpu 2 │ hole │ hole │     units per allocation: 3
//!  └─────────────┴─────────────┴──────┘      └─────────────┴──────┴──────┘
//!  0             unit_size                   3 * unit_size
//! ```
//!
//! Everything is `u64`, whatever the width of this machine, since the tool computes layouts for images of others.

mod chunk;
mod defaults;
mod error;
mod sizes;

pub use chunk::{FirstChunk, LOCAL_DISTANCE};
pub use defaults::{
    DEFAULT_ATOM_SIZE, DEFAULT_DYN_SIZE, DEFAULT_PAGE_SIZE, DEFAULT_RESERVED_SIZE, EARLY_DYN_SIZE, MIN_UNIT_SIZE,
};
pub use error::LayoutError;
pub use sizes::{Request, Sizes};

#[cfg(test)]
mod tests;
