//! An object with contents that tell whose they are.

use std::alloc::Layout;

use percpu_rt::{AllocError, AllocFlags, CpuId, PerCpuPtr, alloc_percpu, free_percpu, possible_cpus};

/// A live object of the test's own.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) ptr: PerCpuPtr<u8>,
    size: usize,
}

/// A layout from numbers that are one.
#[track_caller]
pub(crate) fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a layout")
}

impl Object {
    /// Allocates one, and checks that every copy is aligned and zero.
    #[track_caller]
    pub(crate) fn new(size: usize, align: usize, flags: AllocFlags) -> Result<Self, AllocError> {
        let ptr = alloc_percpu(layout(size, align), flags)?;
        let object = Self { ptr, size };
        for cpu in possible_cpus() {
            assert_eq!(ptr.per_cpu_ptr(cpu).addr() % align, 0, "{ptr:?} on {cpu}");
            assert!(object.copy(cpu).iter().all(|&byte| byte == 0), "{ptr:?} is not zero on {cpu}");
        }
        Ok(object)
    }

    fn copy(&self, cpu: CpuId) -> &[u8] {
        // SAFETY: allocated with this size, and used through this value alone.
        unsafe { std::slice::from_raw_parts(self.ptr.per_cpu_ptr(cpu), self.size) }
    }

    /// The byte at `index` of a copy, for the object's `tag`.
    fn byte(tag: u64, cpu: CpuId, index: usize) -> u8 {
        (tag.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (index % 7 * 8)) as u8 ^ cpu.index() as u8 ^ index as u8
    }

    /// Fills every copy, each with bytes of its own.
    pub(crate) fn fill(&mut self, tag: u64) {
        for cpu in possible_cpus() {
            for index in 0..self.size {
                // SAFETY: within the object, which is borrowed exclusively.
                unsafe { self.ptr.per_cpu_ptr(cpu).add(index).write(Self::byte(tag, cpu, index)) };
            }
        }
    }

    /// Checks what [`fill`](Self::fill) has written.
    #[track_caller]
    pub(crate) fn check(&self, tag: u64) {
        for cpu in possible_cpus() {
            for (index, &byte) in self.copy(cpu).iter().enumerate() {
                assert_eq!(byte, Self::byte(tag, cpu, index), "byte {index} of {self:?} on {cpu}");
            }
        }
    }

    /// Frees it.
    #[track_caller]
    pub(crate) fn free(self) {
        // SAFETY: allocated by `new`, and this was the last use.
        unsafe { free_percpu(self.ptr) };
    }
}
