//! The runtime by another path: the first call goes there, and all others come from the runtime itself.

use percpu_rt as rt;

#[rt::per_cpu(crate = crate::rt)]
static HITS: u64 = 0;
