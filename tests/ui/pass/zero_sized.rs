//! A variable may have no bytes.

use percpu_rt::per_cpu;

struct Marker;

#[repr(align(64))]
struct Aligned;

#[per_cpu]
static UNIT: () = ();

#[per_cpu(shared_aligned)]
static MARKER: Marker = Marker;

#[per_cpu]
static ALIGNED: [Aligned; 3] = [Aligned, Aligned, Aligned];

#[per_cpu(zeroed)]
static EMPTY: [u64; 0] = [];

fn main() {
    UNIT.with(|()| ());
    MARKER.with(|_: &Marker| ());
    assert_eq!(ALIGNED.with(|aligned| (aligned.len(), &raw const *aligned as usize % 64)), (3, 0));
    assert!(EMPTY.with(|empty| empty.is_empty()));
    assert_eq!(UNIT.iter().count(), percpu_rt::possible_cpus().count());
}
