//! The static world in memory: from the linked template to one unit a CPU.
//!
//! ```text
//!  image                    first chunk
//! ┌──────────┐ copied to   ┌────────┬──────────────────┐ ┌────────┬───── ─ ┐     ┌────────┬─────── ─
//! │ template ├───────────▶ │ static │ not opened yet   │ │ static │         ...   │ static │
//! └──────────┘             └────────┴──────────────────┘ └────────┴───── ─ ┘     └────────┴─────── ─
//! ▲ __per_cpu_start        ▲ unit of CPU 0               ▲ unit of CPU 1         ▲ orphan unit, the last
//!                          │◀──────── unit size ────────▶│
//!
//!  address of a copy = address in the template + offset of the CPU
//!  offset of a CPU   = address of its unit − __per_cpu_start
//! ```
//!
//! - [`template`]: where the linked initial values lie.
//! - [`mod@unit`]: a unit as set-up fills it.
//! - [`init`]: the functions of `#[per_cpu(init = ..)]`.
//!
//! The template is read once, at set-up, and never written. Units are never unmapped, so references to copies
//! stay valid for as long as the program runs.

pub(crate) mod init;
pub(crate) mod template;
pub(crate) mod unit;
