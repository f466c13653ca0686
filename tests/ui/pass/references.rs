//! References are words where what they point at is `Sync`; their lifetime may be left out.

use std::sync::atomic::{AtomicU64, Ordering};

use percpu_rt::per_cpu;

static ONE: AtomicU64 = AtomicU64::new(1);
static TWO: AtomicU64 = AtomicU64::new(2);

#[per_cpu]
static CURRENT: &AtomicU64 = &ONE;

#[per_cpu]
static NEXT: Option<&'static AtomicU64> = None;

/// Two words wide, so an object.
#[per_cpu]
static NAME: &str = "none";

#[per_cpu]
static NAMES: [&str; 2] = ["a", "b"];

fn main() {
    assert!(NEXT.read().is_none());
    NEXT.write(Some(&TWO));
    CURRENT.write(&TWO);
    assert_eq!(CURRENT.read().load(Ordering::Relaxed), 2);
    assert_eq!(NAME.with(|name| name.len()), 4);
    assert_eq!(NAMES.with(|names| names[1]), "b");
}
