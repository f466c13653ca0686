//! The section is the runtime's, however the attribute is spelled.

use percpu_rt::per_cpu;

#[per_cpu]
#[unsafe(link_section = ".mine")]
static BELOW: u64 = 0;

#[unsafe(link_section = ".mine")]
#[per_cpu]
static ABOVE: u64 = 0;

#[per_cpu]
#[cfg_attr(all(), unsafe(link_section = ".mine"))]
static CONDITIONAL: u64 = 0;

fn main() {
    BELOW.inc();
    ABOVE.inc();
    CONDITIONAL.inc();
}
