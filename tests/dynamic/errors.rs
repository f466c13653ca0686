//! Refusals: each with the values at fault, and nothing changed.

use std::alloc::Layout;
use std::panic::catch_unwind;

use percpu_rt::{
    AllocError, AllocFlags, FreeError, PerCpuPtr, PerCpuStats, Reservation, alloc_percpu, alloc_percpu_batch,
    free_percpu, per_cpu, possible_cpus, stats, try_free_percpu, unit_size,
};

use crate::alone;
use crate::object::{Object, layout};

/// What a refusal leaves as it was.
fn live(stats: &PerCpuStats) -> [u64; 5] {
    [stats.nr_alloc, stats.nr_dealloc, stats.nr_cur_alloc, stats.live_bytes as u64, stats.populated_bytes as u64]
}

#[test]
fn a_wrong_request_is_told_what_is_wrong() {
    if !alone("errors::a_wrong_request_is_told_what_is_wrong") {
        return;
    }
    // The reserved area counts from its first use on.
    Object::new(4, 4, AllocFlags::RESERVED).expect("there is room").free();
    let before = live(&stats());
    // SAFETY: a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    for flags in [AllocFlags::NONE, AllocFlags::ATOMIC, AllocFlags::RESERVED, AllocFlags::ATOMIC | AllocFlags::RESERVED]
    {
        assert_eq!(alloc_percpu(layout(0, 1), flags), Err(AllocError::ZeroSize));
        let align = 2 * page;
        assert_eq!(alloc_percpu(layout(8, align), flags), Err(AllocError::BadAlign { align, max: page }));
        for size in [unit_size(), isize::MAX as usize] {
            let Err(AllocError::TooLarge { size: asked, max }) = alloc_percpu(layout(size, 1), flags) else {
                panic!("{size} bytes of a unit of {}", unit_size());
            };
            assert!(asked == size && max < unit_size(), "{asked} {max}");
        }
    }
    // It may be had, but not by somebody who may not ask for pages.
    let (size, align) = (64 << 20, 4);
    for flags in [AllocFlags::ATOMIC, AllocFlags::ATOMIC | AllocFlags::RESERVED] {
        assert_eq!(alloc_percpu(layout(size, align), flags), Err(AllocError::AtomicExhausted { size, align }));
    }
    let mut batch = [None; 3];
    assert_eq!(alloc_percpu_batch(layout(0, 1), AllocFlags::NONE, &mut batch), Err(AllocError::ZeroSize));
    assert_eq!(live(&stats()), before);
}

#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn a_wrong_free_is_told_what_is_wrong() {
    if !alone("errors::a_wrong_free_is_told_what_is_wrong") {
        return;
    }
    #[per_cpu]
    static VARIABLE: u64 = 7;
    let mut object = Object::new(40, 8, AllocFlags::NONE).expect("there is room");
    object.fill(1);
    let twice = alloc_percpu(Layout::new::<u64>(), AllocFlags::NONE).expect("there is room");
    // SAFETY: allocated above, never used.
    unsafe { free_percpu(twice) };
    let before = stats();
    let within = |bytes| PerCpuPtr::new(object.ptr.as_ptr().wrapping_byte_add(bytes)).expect("not null");
    let elsewhere = |address| PerCpuPtr::new(std::ptr::without_provenance_mut(address)).expect("not null");
    let cpu = possible_cpus().next().expect("a CPU");
    // The template of a static has a per-CPU pointer too.
    let template = VARIABLE.per_cpu_ptr(cpu).addr().wrapping_add_signed(-percpu_rt::per_cpu_offset(cpu));
    let on_stack = (&raw const before).addr();

    let offset_of = |error| match error {
        FreeError::Interior { offset } | FreeError::NotAllocated { offset } | FreeError::Foreign { offset } => offset,
        other => panic!("{other}"),
    };
    // SAFETY: none of these is an object, so nothing is freed.
    let refused = |ptr: PerCpuPtr<u8>| unsafe { try_free_percpu(ptr) }.expect_err("no object is there");
    for bytes in [1, 4, 8, 36, 39] {
        let error = refused(within(bytes));
        assert!(matches!(error, FreeError::Interior { .. }), "{bytes}: {error}");
        assert_eq!(offset_of(error), offset_of(refused(within(1))) - 1 + bytes);
    }
    assert!(matches!(refused(twice), FreeError::NotAllocated { .. }), "{}", refused(twice));
    for foreign in [template, on_stack, object.ptr.per_cpu_ptr(cpu).addr(), 1, usize::MAX] {
        let error = refused(elsewhere(foreign));
        assert!(matches!(error, FreeError::Foreign { .. }), "{foreign:#x}: {error}");
    }

    for (ptr, words) in [
        (within(4), "inside an allocation"),
        (twice, "freed twice?"),
        (elsewhere(template), "not the allocator's"),
        (elsewhere(on_stack), "not the allocator's"),
    ] {
        // SAFETY: as above.
        let panic = catch_unwind(|| unsafe { free_percpu(ptr) }).expect_err("a wrong free");
        let text = panic.downcast_ref::<String>().expect("a text");
        for part in [&format!("{:#x}", ptr.address()), words] {
            assert!(text.contains(part), "no {part} in: {text}");
        }
    }
    assert_eq!(stats(), before);
    object.check(1);
    object.free();
    assert_eq!(VARIABLE.read_on(cpu), 7);
    assert_eq!(stats().nr_cur_alloc, before.nr_cur_alloc - 1);
}

/// The words of Linux's `percpu_stats`.
#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn the_counts_are_those_of_what_was_done() {
    /// More than is open from the start.
    const LARGE: usize = 2_000_000;
    if !alone("errors::the_counts_are_those_of_what_was_done") {
        return;
    }
    let start = stats();
    assert_eq!((start.nr_alloc, start.nr_cur_alloc, start.live_bytes), (0, 0, 0), "{start:?}");
    assert!(start.populated_bytes > 0 && start.metadata_bytes > 0 && start.nr_populate == 0, "{start:?}");
    let module = Object::new(100, 4, AllocFlags::RESERVED).expect("there is room");
    let opened = stats();
    let small = Object::new(5, 1, AllocFlags::NONE).expect("there is room");
    let large = Object::new(LARGE, 4096, AllocFlags::NONE).expect("there is room");
    let full = stats();
    assert_eq!((full.nr_alloc, full.nr_cur_alloc, full.nr_max_alloc, full.nr_dealloc), (3, 3, 3, 0));
    assert_eq!((full.min_alloc_size, full.max_alloc_size, full.live_bytes), (8, LARGE, 8 + LARGE + 100));
    assert!(full.populated_bytes >= LARGE && full.nr_populate > 0, "{full:?}");
    println!("at first {start:?}, then {full:?}");
    for object in [small, large, module] {
        object.free();
    }
    let end = stats();
    assert_eq!((end.nr_alloc, end.nr_cur_alloc, end.nr_max_alloc, end.nr_dealloc), (3, 0, 3, 3));
    assert_eq!((end.live_bytes, end.nr_depopulate > 0), (0, true), "{end:?}");
    // What is open from the start is so for good; of the rest nothing is left but empty pages.
    // SAFETY: a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let kept = (end.populated_bytes - opened.populated_bytes) / page;
    assert_eq!((opened.empty_pop_pages, end.empty_pop_pages), (0, kept as u64), "{end:?}");
    assert!(kept > 0, "{end:?}");
}

/// Every object of a reservation is one more, and what is not taken comes back.
#[test]
fn a_reservation_is_taken_from_until_it_is_empty() {
    let layout = Layout::new::<[u64; 3]>();
    let mut reserved = Reservation::<5>::try_new(layout).expect("memory");
    let taken: Vec<_> = std::iter::from_fn(|| (reserved.len() > 2).then(|| reserved.take()).flatten()).collect();
    assert_eq!((taken.len(), reserved.len(), reserved.is_empty()), (3, 2, false));
    for (index, object) in taken.iter().enumerate() {
        assert!(!taken[..index].contains(object));
        for cpu in possible_cpus() {
            // SAFETY: taken from the reservation, for three words.
            assert_eq!(unsafe { object.cast::<[u64; 3]>().per_cpu_ptr(cpu).read() }, [0; 3]);
        }
    }
    let left: Vec<_> = std::iter::from_fn(|| reserved.take()).collect();
    assert!(reserved.take().is_none() && reserved.is_empty());
    for object in taken.into_iter().chain(left) {
        // SAFETY: taken above, and not used any more.
        unsafe { free_percpu(object) };
    }
    // Nobody takes anything.
    drop(Reservation::<5>::try_new(layout).expect("memory"));
    let error = Reservation::<1>::try_new(Layout::from_size_align(4, 1 << 20).expect("a layout")).err();
    assert!(matches!(error, Some(AllocError::BadAlign { align: 0x10_0000, .. })));
}
