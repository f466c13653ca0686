//! `zeroed` promises an initializer of zero bytes only; where no byte is padding, a constant holds it to that.

use std::sync::atomic::AtomicU16;

use percpu_rt::per_cpu;

#[per_cpu(zeroed)]
static HITS: u64 = 1;

#[per_cpu(zeroed)]
static TABLE: [[AtomicU16; 2]; 2] = [const { [AtomicU16::new(0), AtomicU16::new(256)] }; 2];

fn main() {
    HITS.inc();
    TABLE.with(|_| ());
}
