//! `cfg` decides about the whole variable, above or below the attribute and through `cfg_attr`.

use percpu_rt::per_cpu;

#[per_cpu]
#[cfg(any())]
static GONE: NoSuchType = 0;

#[cfg(any())]
#[per_cpu]
static GONE: NoSuchType = 0;

#[per_cpu]
#[cfg_attr(all(), cfg(any()), deprecated)]
static GONE: NoSuchType = 0;

/// A mistake in an item that is not there is no mistake.
#[per_cpu(no_such_argument)]
#[cfg(any())]
#[no_mangle]
static mut GONE: NoSuchType = 0;

#[per_cpu]
#[cfg(all())]
#[cfg_attr(all(), doc = "Text.", allow(non_upper_case_globals))]
#[cfg_attr(any(), cfg(any()), link)]
static here: u64 = 0;

fn main() {
    #[per_cpu]
    #[cfg(any())]
    static LOCAL: NoSuchType = 0;

    #[cfg_attr(all(), per_cpu)]
    static LOCAL: u64 = 1;

    here.add(LOCAL.read());
    assert_eq!(here.sum(), 1);
}
