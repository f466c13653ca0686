//! A type is what it stands for, not how it is spelled.

use percpu_rt::per_cpu;

type Count = u64;
type Hits = Count;

mod shadow {
    /// Not the primitive, but spelled like it.
    #[allow(non_camel_case_types)]
    pub struct u64(pub core::sync::atomic::AtomicU32);
}

#[per_cpu]
static ALIAS: Count = 1;

#[per_cpu]
static ALIAS_OF_ALIAS: Hits = 2;

#[per_cpu]
static PATH: core::primitive::u64 = 3;

#[per_cpu]
static OBJECT: shadow::u64 = shadow::u64(core::sync::atomic::AtomicU32::new(4));

fn main() {
    ALIAS.inc();
    ALIAS_OF_ALIAS.inc();
    PATH.inc();
    assert_eq!(OBJECT.with(|object| object.0.load(core::sync::atomic::Ordering::Relaxed)), 4);
    let cpus = percpu_rt::possible_cpus().count() as u64;
    assert_eq!(ALIAS.sum(), cpus + 1);
    assert_eq!(ALIAS_OF_ALIAS.sum(), 2 * cpus + 1);
    assert_eq!(PATH.sum(), 3 * cpus + 1);
}
