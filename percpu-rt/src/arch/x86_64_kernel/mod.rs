//! x86-64: kernels, by the base of the segment register `gs`.
//!
//! The base is the offset of the CPU, so an instruction that names the template and has the segment's prefix reaches this
//! CPU's copy, whichever CPU that is when it runs:
//!
//! ```text
//!  static    inc qword ptr gs:[rip + TEMPLATE]      template's address + offset of the CPU = the copy
//!  dynamic   inc qword ptr gs:[register]            per-CPU pointer    + offset of the CPU = the copy
//! ```
//!
//! One instruction is never interrupted in the middle, so it needs neither a `lock` prefix nor interrupts off; it is exact
//! against handlers of this CPU, NMIs included. Other CPUs only ever read.
//!
//! Before a CPU has its base, it has a poison: canonical itself, and with any template's address it is not, so that an access
//! is a general protection fault and never finds the template.
//!
//! | operation | instruction |
//! |---|---|
//! | `read` | `mov`, for narrow ones `movzx` |
//! | `write`, `add`, `and`, `or`, `xor`, `inc`, `dec` | the one of that name, to memory |
//! | `xchg` | `xchg`, which the CPU locks by itself |
//! | `fetch_add`, `add_return` | `xadd`, and an addition of registers |
//! | `cmpxchg` | `cmpxchg`; of 16 bytes, `cmpxchg16b` |

pub(super) mod access;
pub(crate) mod base;
pub(super) mod copy;
pub(super) mod cpu;
pub(super) mod entry;
pub(crate) mod interrupts;
pub(super) mod lock;
pub(super) mod wide;
pub(super) mod word;
