//! What is no variable stays as it is.

use percpu_rt::per_cpu;

#[per_cpu]
pub fn hits() {}
