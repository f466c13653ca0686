//! What the rooms share: which tools are there, processes for one test, random operands, a clock, threads on a given CPU, a
//! disturber of threads, processes without `membarrier`, programs built as a downstream crate builds them, and operations that a kernel runs, too.

pub mod alone;
pub mod churn;
pub mod clock;
pub mod fixture;
pub mod ledger;
pub mod membarrier;
pub mod model;
pub mod operations;
pub mod pin;
pub mod random;
pub mod ticks;
pub mod tool;
pub mod units;
