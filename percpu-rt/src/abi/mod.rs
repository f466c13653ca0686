//! The contract between the runtime, the linker fragment and the post-link tool.
//!
//! Everything in here is pure and free of pointers: names of sections and symbols, the arithmetic of the first chunk and
//! of a process's units, and the record that the tool writes for the runtime. The build script writes the linker fragment
//! from it, the runtime sets up units by it, and `percpu-link` reads and patches images by it, so no name and no
//! formula exists twice.
//!
//! ```text
//!   .data..percpu                                                  .bss..percpu (no file bytes)
//!  ┌──────────────┬───────┬─────┬─────────────┬───────┬────────────────┬────────┐
//!  │ page_aligned │ first │ hot │ read_mostly │ plain │ shared_aligned │ zeroed │
//!  └──────────────┴───────┴─────┴─────────────┴───────┴────────────────┴────────┘
//!  ▲ __per_cpu_start                                                            ▲ __per_cpu_end
//! ```
//!
//! The span between the two symbols is the template of one unit: what [`layout`] calls its static part.

pub mod class;
pub mod hosted;
pub mod layout;
pub mod record;
pub mod symbol;
