//! percpu-rt under another name: renamed, behind a re-export, inside a macro of its own.

extern crate percpu_rt as renamed_rt;

use renamed_rt::per_cpu;

mod facade {
    pub mod rt {
        pub use renamed_rt::*;
    }
}

macro_rules! counter {
    ($name:ident) => {
        #[per_cpu(crate = $crate::facade::rt)]
        static $name: u64 = 0;
    };
}

#[per_cpu(crate = renamed_rt)]
static PLAIN: u64 = 0;

#[per_cpu(hot, crate = crate::facade::rt)]
static BEHIND: u64 = 0;

counter!(DECLARED);

fn main() {
    PLAIN.inc();
    BEHIND.inc();
    DECLARED.inc();
    assert_eq!(PLAIN.sum() + BEHIND.sum() + DECLARED.sum(), 3);
}
