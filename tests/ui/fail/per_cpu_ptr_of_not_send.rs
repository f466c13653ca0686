//! A per-CPU pointer to what may not leave its thread stays there too.

use std::alloc::Layout;
use std::rc::Rc;
use std::thread;

use percpu_rt::{AllocFlags, PerCpuPtr, alloc_percpu};

fn main() {
    let raw = alloc_percpu(Layout::new::<Rc<u64>>(), AllocFlags::NONE).unwrap();
    let counted: PerCpuPtr<Rc<u64>> = raw.cast();
    thread::spawn(move || counted.address());
}
