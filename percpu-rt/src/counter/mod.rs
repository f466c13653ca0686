//! One number that every CPU adds to: cheap to add to, cheap to read roughly, exact to sum up.
//!
//! ```text
//!               ┌───────┐   what a CPU has collected goes there when it reaches the batch
//!   total       │ 12300 │◀────────────┬──────────────┬─────────── ─
//!               └───────┘             │              │
//!   deltas                      ┌─────┴─────┐  ┌─────┴─────┐
//!   |each| < batch              │  17  cpu 0│  │  -4  cpu 1│   …
//!                               └───────────┘  └───────────┘
//!   read = total                sum = total + all deltas
//! ```
//!
//! # Rules
//!
//! - A delta changes by a compare-and-exchange of its own CPU alone, which keeps it below the batch. So the total is wrong by
//!   less than a batch for each possible CPU.
//! - What a CPU has collected is added to the total before it is taken from the delta. Whoever reads deltas first and the total
//!   last misses nothing; it may see what is on its way twice.
//!
//! - `counter`: the steps, on one counter. `owned`: [`PerCpuCounter`], and [`PerCpuCounters`] with one allocation for many.

#[allow(clippy::module_inception, reason = "the room is named for what it is about")]
mod counter;
mod owned;

pub use counter::Counter;
pub use owned::{PerCpuCounter, PerCpuCounters};
