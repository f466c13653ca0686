//! Whether anybody still uses an object is nothing that safe code can assert.

use std::alloc::Layout;

use percpu_rt::{AllocFlags, alloc_percpu, free_percpu};

fn main() {
    let raw = alloc_percpu(Layout::new::<u64>(), AllocFlags::NONE).unwrap();
    free_percpu(raw);
}
