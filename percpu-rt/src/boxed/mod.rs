//! Dynamic variables with an owner, and variables that are borrowed whatever they are.
//!
//! ```text
//!  PerCpuBox<T> ── per-CPU pointer ──▶  unit of CPU 0   ┌─ ─┬─────────┬─ ─
//!        │ lends                                        │   │ T       │
//!        ▼                              unit of CPU 1   ├─ ─┼─────────┼─ ─
//!  PerCpuRef<'_, T>                                     │   │ T       │
//!        ▲ lends                             …          └─ ─┴─────────┴─ ─
//!  static HANDLE: T
//! ```
//!
//! Both are a per-CPU pointer and reach the copies through the same handle as a static, [`PerCpu`](crate::PerCpu). The only
//! difference is where the pointer comes from: for a static it is a constant, here it is a value.
//!
//! - `owner`: [`PerCpuBox`], and how its copies are made. `copies`: how they end. `reference`: [`PerCpuRef`].
//! - `memory`: where the copies are. `object`: the place of both. `zeroable`: which types need not be made.

mod copies;
mod memory;
mod object;
mod owner;
mod reference;
mod zeroable;

pub use object::Object;
pub use owner::PerCpuBox;
pub use reference::PerCpuRef;
pub use zeroable::Zeroable;
