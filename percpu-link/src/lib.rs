//! The post-link tool of percpu-rt, as a library.
//!
//! A linked image carries its per-CPU variables as a template, `.data..percpu`, of which the runtime makes one
//! copy a CPU. This crate reads that template from ELF images of any class, byte order and machine, and says what
//! neither compiler nor boot code shows: where each variable lies, what it costs, where memory is lost.
//!
//! ```no_run
//! let report = percpu_link::report("target/release/app".as_ref())?;
//! assert!(report.static_size <= 64 << 10, "per-CPU variables have outgrown their budget");
//! # Ok::<(), percpu_link::Error>(())
//! ```
//!
//! The two binaries, `percpu-link` and `cargo-percpu-link`, are [`main`]. From the outside in:
//!
//! | module | turns |
//! |---|---|
//! | `cli` | a command line into calls of the others, one file a command |
//! | `input` | a file into a [`model::Report`] |
//! | [`model`] | facts into what both forms of output share |
//! | `emit` | a report into text or JSON |

#![forbid(unsafe_code)]

mod cli;
mod emit;
mod error;
mod exit;
mod input;
pub mod model;
mod stream;

pub use cli::main;
pub use error::Error;
pub use input::report;
