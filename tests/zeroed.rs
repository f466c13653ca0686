//! A program whose most aligned variable has no bytes in the file: the rest of its template is aligned to much less.

use percpu_rt::{per_cpu, possible_cpus};

#[derive(Debug)]
#[repr(align(8192))]
struct Aligned([u8; 3 * 8192]);

#[per_cpu(zeroed)]
static TABLE: Aligned = Aligned([0; 3 * 8192]);

#[per_cpu]
static SMALL: u8 = 7;

#[test]
fn every_copy_is_aligned_and_zero() {
    for cpu in possible_cpus() {
        assert_eq!(TABLE.per_cpu_ptr(cpu).addr() % align_of::<Aligned>(), 0, "CPU {cpu}");
        assert!(TABLE.on(cpu).0.iter().all(|&byte| byte == 0), "CPU {cpu}");
        assert_eq!(SMALL.read_on(cpu), 7);
    }
}
