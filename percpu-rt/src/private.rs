//! What the expansion of `#[per_cpu]` names. Not for users: anything in here may change in any release.

pub use crate::arch::Place;
#[cfg(platform = "kernel")]
pub use crate::arch::shape;
pub use crate::area::init::{Init, InitEntry};
pub use crate::var::handle::PerCpu;
pub use crate::var::kind::{Answer, OtherwiseObject, Probe, Select};
pub use crate::var::template::{Line, Page, Template, Unaligned};
pub use crate::var::zeroed::{Bytes, OtherwiseUnknown, is_zero};
pub use crate::{__define as define, __refused as refused};
