//! The post-link tool of percpu-rt, as a library.
//!
//! A linked image carries its per-CPU variables as a template, `.data..percpu`, of which the runtime makes one
//! copy a CPU. This crate reads that template from ELF images of any class, byte order and machine, and says what
//! neither compiler nor boot code shows: where each variable lies, what it costs, where memory is lost.
//!
//! A budget that is kept by `cargo test`, with nothing installed:
//!
//! ```no_run
//! use percpu_link::{Error, Settings};
//!
//! # // A test in a documentation test would not be compiled.
//! # /*
//! #[test]
//! # */
//! fn budget() -> Result<(), Error> {
//!     let settings = Settings { max_static: Some(64 << 10), ..Settings::default() };
//!     percpu_link::check(&percpu_link::current_exe()?, &settings)?.assert_clean();
//!     Ok(())
//! }
//! # budget().unwrap();
//! ```
//!
//! The two binaries, `percpu-link` and `cargo-percpu-link`, are [`main`]. From the outside in:
//!
//! | module | turns |
//! |---|---|
//! | `cli` | a command line into calls of the others, one file a command |
//! | `file` | a path into a report, and a layout into the bytes of a file |
//! | `input` | the bytes of an image into facts |
//! | `rules` | facts and [`Settings`] into findings, one file a lint |
//! | [`model`] | facts and findings into what both forms of output share |
//! | `emit` | a report into text or JSON |

#![forbid(unsafe_code)]

mod cli;
mod emit;
mod error;
mod exit;
mod file;
#[cfg(test)]
#[path = "../tests/fixture/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line")]
mod fixture;
mod input;
pub mod model;
mod rules;
mod settings;
mod size;
mod stream;

pub use cli::main;
pub use error::Error;
pub use file::{check, current_exe, patch, report};
pub use settings::Settings;
