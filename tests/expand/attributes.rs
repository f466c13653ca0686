//! What decides whether the variable exists stands in front of all of it, what describes it on the handle.

use percpu_rt::per_cpu;

#[per_cpu]
#[cfg_attr(all(), cfg(target_pointer_width = "64"), deprecated)]
#[allow(dead_code)]
static OLD: bool = false;

#[per_cpu]
#[cfg(target_pointer_width = "16")]
static GONE: bool = false;
