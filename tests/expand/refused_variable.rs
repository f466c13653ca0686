//! After a mistake the handle is still there, so that its uses add no messages, but no template.

use percpu_rt::per_cpu;

#[per_cpu]
pub static mut HITS: u64 = 0;
