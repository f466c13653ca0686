//! What objects hold, and where they are.

use std::alloc::Layout;

use percpu_rt::{
    AllocFlags, PerCpuPtr, alloc_percpu, alloc_percpu_batch, free_percpu, per_cpu_offset, possible_cpus, this_cpu,
    unit_size,
};
use percpu_tests::pin;

use crate::object::{Object, layout};

/// Beyond Linux's largest of 32 KiB too.
const SIZES: [usize; 12] = [1, 3, 4, 8, 13, 64, 200, 1000, 4096, 4100, 40_000, 300_000];

#[test]
fn every_copy_is_zero_and_apart_from_all_others() {
    for _ in 0..3 {
        let mut objects = Vec::new();
        for size in SIZES {
            for align in [1, 4, 8, 64, 1024, 4096] {
                let mut object = Object::new(size, align, AllocFlags::NONE).expect("there is room");
                object.fill(objects.len() as u64);
                objects.push(object);
            }
        }
        for (tag, object) in objects.iter().enumerate() {
            object.check(tag as u64);
        }
        // The next round finds what this one has written.
        objects.into_iter().for_each(Object::free);
    }
}

#[test]
fn a_copy_is_its_offset_away_and_within_its_unit() {
    let raw = alloc_percpu(layout(24, 8), AllocFlags::NONE).expect("there is room");
    let first = possible_cpus().next().expect("a CPU");
    for cpu in possible_cpus() {
        let address = raw.per_cpu_ptr(cpu).addr();
        assert_eq!(address, raw.address().wrapping_add_signed(per_cpu_offset(cpu)));
        let unit = (cpu.index() - first.index()) * unit_size();
        assert_eq!(address - raw.per_cpu_ptr(first).addr(), unit);
    }
    for cpu in pin::allowed() {
        pin::on(cpu, || assert_eq!(raw.this_cpu_ptr(), raw.per_cpu_ptr(this_cpu())));
    }
    // SAFETY: allocated above, never used.
    unsafe { free_percpu(raw) };
}

#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn a_pointer_is_a_number() {
    assert_eq!(size_of::<Option<PerCpuPtr<[u64; 9]>>>(), size_of::<usize>());
    let raw = alloc_percpu(Layout::new::<u32>(), AllocFlags::NONE).expect("there is room");
    let same = PerCpuPtr::new(raw.as_ptr()).expect("not null");
    assert_eq!((same, same.cast::<u64>().address()), (raw, raw.as_ptr().addr()));
    assert_eq!(format!("{raw:?}"), format!("PerCpuPtr({:#x})", raw.address()));
    assert_eq!(PerCpuPtr::<u8>::new(std::ptr::null_mut()), None);
    // SAFETY: allocated above, never used.
    unsafe { free_percpu(same) };
}

#[test]
fn a_batch_is_as_many_objects() {
    let mut batch = [None; 300];
    alloc_percpu_batch(layout(24, 8), AllocFlags::NONE, &mut batch).expect("there is room");
    let mut addresses: Vec<_> = batch.iter().flatten().map(|object| object.address()).collect();
    assert_eq!(addresses.len(), batch.len());
    addresses.sort_unstable();
    assert!(addresses.is_sorted_by(|one, next| next - one >= 24), "{addresses:x?}");
    for object in batch.into_iter().flatten() {
        // SAFETY: allocated above, never used.
        unsafe { free_percpu(object) };
    }
    alloc_percpu_batch(layout(24, 8), AllocFlags::NONE, &mut []).expect("no objects are always to be had");
}
