//! Documentation, `deprecated` and lint levels belong to the variable.

#![deny(warnings)]

use percpu_rt::per_cpu;

#[per_cpu]
#[allow(non_upper_case_globals)]
static allowed: u64 = 0;

#[per_cpu]
#[expect(non_upper_case_globals)]
static expected: u64 = 0;

#[allow(dead_code)]
#[per_cpu]
static UNUSED: u64 = 0;

#[per_cpu]
#[deprecated = "use `allowed`"]
#[doc(hidden)]
pub static OLD: u64 = 0;

#[per_cpu]
#[deprecated]
static OLD_OBJECT: [u64; 3] = [0; 3];

/** Documented
in a block. */
#[doc = concat!("and ", "by a macro")]
#[rustfmt::skip]
#[per_cpu]
static DOCUMENTED: u64 = 0;

fn main() {
    allowed.inc();
    expected.inc();
    DOCUMENTED.inc();
    #[expect(deprecated)]
    OLD.inc();
    #[expect(deprecated)]
    OLD_OBJECT.with(|_| ());
}
