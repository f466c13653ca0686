//! Room that is there and not to be seen at once: with another thread, in a CPU's stock, in a child.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use percpu_rt::{AllocError, AllocFlags, PerCpuBox, alloc_percpu, free_percpu, stats};
use percpu_tests::pin;

use crate::object::layout;
use crate::{alone, alone_with};

const KIB: usize = 1 << 10;

/// Allocates and frees; false where it is refused.
fn is_there(size: usize, align: usize) -> bool {
    alloc_percpu(layout(size, align), AllocFlags::NONE)
        // SAFETY: just allocated, and not used.
        .map(|object| unsafe { free_percpu(object) })
        .is_ok()
}

/// A free gives pages back without the lock. Meanwhile nobody can have them, and whoever lacks them waits.
#[test]
fn pages_that_another_thread_gives_back() {
    if !alone_with("room::pages_that_another_thread_gives_back", &[("PERCPU_UNIT_SIZE", "1536K")]) {
        return;
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                assert!(is_there(64, 4), "a few bytes");
            }
        });
        let all = (0..3000).all(|_| is_there(1400 * KIB, 4096));
        stop.store(true, Relaxed);
        assert!(all, "no more than 64 bytes of 1,536 KiB were another's");
    });
}

/// What dropped boxes have left in stock is free to everybody.
#[test]
fn places_in_stock() {
    if !alone_with("room::places_in_stock", &[("PERCPU_UNIT_SIZE", "512K")]) {
        return;
    }
    // On one CPU, whose stock gets all.
    pin::on(pin::allowed()[0], || {
        let mut boxes = Vec::new();
        let fill = |boxes: &mut Vec<_>| {
            while let Ok(new) = PerCpuBox::<[u64; 4]>::try_new([0; 4]) {
                boxes.push(new);
            }
        };
        fill(&mut boxes);
        // The stock comes to be with the first drops, and as large as it gets.
        for _ in 0..3 {
            boxes.truncate(boxes.len() - 200);
            fill(&mut boxes);
        }
        boxes.truncate(boxes.len() - 40);
        let objects: Vec<_> = std::iter::from_fn(|| alloc_percpu(layout(32, 8), AllocFlags::NONE).ok()).collect();
        assert_eq!(objects.len(), 40);
        let live = stats().nr_cur_alloc;
        assert_eq!(live as usize, boxes.len() + objects.len());
        for object in objects {
            // SAFETY: allocated above, and not used.
            unsafe { free_percpu(object) };
        }
    });
}

/// Threads whose stacks are 128 GiB apart are two threads, too.
#[test]
fn threads_far_apart() {
    const APART: usize = 128 << 30;
    const STACK: usize = 1 << 20;
    static BUSY: AtomicU64 = AtomicU64::new(0);
    extern "C" fn run(_: *mut libc::c_void) -> *mut libc::c_void {
        for _ in 0..100_000 {
            let object = alloc_percpu(layout(24, 4), AllocFlags::NONE);
            BUSY.fetch_add(u64::from(object == Err(AllocError::Busy)), Relaxed);
            if let Ok(object) = object {
                // SAFETY: just allocated, and not used.
                let freed = unsafe { percpu_rt::try_free_percpu(object) };
                BUSY.fetch_add(u64::from(freed.is_err()), Relaxed);
            }
        }
        std::ptr::null_mut()
    }
    if !alone("room::threads_far_apart") {
        return;
    }
    // SAFETY: address space at a place of the kernel's choice; two parts of it are made stacks, each for one thread.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let base = libc::mmap(std::ptr::null_mut(), APART + STACK, libc::PROT_NONE, flags, -1, 0);
        if base == libc::MAP_FAILED {
            return percpu_tests::tool::missing("128 GiB of address space");
        }
        let threads = [0, APART].map(|at| {
            let stack = base.byte_add(at);
            assert_eq!(libc::mprotect(stack, STACK, libc::PROT_READ | libc::PROT_WRITE), 0);
            let mut attributes = std::mem::zeroed();
            assert_eq!(libc::pthread_attr_init(&raw mut attributes), 0);
            assert_eq!(libc::pthread_attr_setstack(&raw mut attributes, stack, STACK), 0);
            let mut thread = 0;
            let null = std::ptr::null_mut();
            assert_eq!(libc::pthread_create(&raw mut thread, &raw const attributes, run, null), 0);
            thread
        });
        for thread in threads {
            assert_eq!(libc::pthread_join(thread, std::ptr::null_mut()), 0);
        }
    }
    assert_eq!(BUSY.load(Relaxed), 0, "nobody has interrupted himself");
}
