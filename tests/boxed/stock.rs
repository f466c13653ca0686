//! What CPUs keep in stock: nobody else's, counted by nobody, given back where it is lacking, given up by a child.

use std::sync::Mutex;
use std::thread;

use percpu_rt::{AllocError, PerCpuBox, possible_cpus, stats};
use percpu_tests::alone::alone;
use percpu_tests::random::Random;
use percpu_tests::{membarrier, pin, tool};

fn fill(count: u64) -> Vec<PerCpuBox<[u64; 8]>> {
    (0..count).map(|tag| PerCpuBox::try_new([tag; 8]).expect("memory")).collect()
}

fn check(boxes: &[PerCpuBox<[u64; 8]>]) {
    for (tag, boxed) in boxes.iter().enumerate() {
        assert!(boxed.iter().all(|(_, copy)| *copy == [tag as u64; 8]));
    }
}

#[test]
fn counts_know_nothing_of_it() {
    if !alone("stock::counts_know_nothing_of_it") {
        return;
    }
    let start = stats();
    for round in 0..20 {
        let boxes = fill(1000);
        check(&boxes);
        drop(boxes.into_iter().filter(|_| round % 2 == 0).collect::<Vec<_>>());
        let stats = stats();
        assert_eq!((stats.nr_cur_alloc, stats.live_bytes), (start.nr_cur_alloc, start.live_bytes));
    }
    let end = stats();
    assert_eq!(end.nr_alloc - start.nr_alloc, end.nr_dealloc - start.nr_dealloc);
    // Nor of what a stock itself takes.
    assert_eq!(end.min_alloc_size, end.max_alloc_size);
}

/// A program that has filled its memory before it drops anything has a stock all the same.
#[test]
#[cfg_attr(feature = "checked", ignore = "the checked allocator keeps nothing in stock")]
fn a_full_memory_is_no_reason_to_have_none() {
    if !alone("stock::a_full_memory_is_no_reason_to_have_none") {
        return;
    }
    const PAIRS: u64 = 10_000;
    let full = [fill(if tool::is_set(tool::SANITIZED) { 3000 } else { 100_000 }), fill(77)];
    let start = stats().nr_alloc;
    (0..PAIRS).for_each(|tag| drop(PerCpuBox::try_new([tag; 8]).expect("memory")));
    let asked = stats().nr_alloc - start;
    assert!(asked < PAIRS / 10, "the allocator was asked {asked} times for {PAIRS} variables");
    drop(full);
}

/// What stays of a stock that was too full goes out as it would have: the last in first, of which the CPU's cache knows most.
#[test]
#[cfg_attr(
    any(feature = "checked", percpu_backend = "generic", not(target_arch = "x86_64")),
    ignore = "nothing is kept in stock"
)]
fn what_stays_of_a_full_stock_keeps_its_order() {
    if !alone("stock::what_stays_of_a_full_stock_keeps_its_order") {
        return;
    }
    let address = |boxed: &PerCpuBox<[u64; 8]>| boxed.per_cpu_ptr(possible_cpus().next().expect("a CPU")).addr();
    pin::on(pin::allowed()[0], || {
        let mut boxes = fill(4000);
        boxes.sort_by_key(address);
        // The first drop asks for a stock, which the next allocation makes.
        (0..2).for_each(|_| drop(fill(1)));
        // All that is in stock goes back by this.
        let _ = stats();
        // More than there is room for, the highest last: of two the higher goes back, so that those that stay ascend. The first dropped
        // may be at hand all the while.
        drop(boxes.drain(..40).collect::<Vec<_>>());
        let again: Vec<_> = fill(20).iter().map(address).collect();
        let falls = again.windows(2).filter(|two| two[0] > two[1]).count();
        assert!(falls >= 16, "{again:x?}");
        assert!(again[0] < address(&boxes[0]));
    });
}

/// Objects of all sizes on two CPUs, dropped where they were made and elsewhere: none overlaps, and all is given back.
#[test]
fn nobody_finds_anothers_bytes() {
    if !alone("stock::nobody_finds_anothers_bytes") {
        return;
    }
    trait Checked: Send {
        fn check(&self);
    }
    impl<const N: usize> Checked for (u32, PerCpuBox<[u32; N]>) {
        fn check(&self) {
            for (cpu, copy) in self.1.iter() {
                assert_eq!(*copy, [self.0.wrapping_add(cpu.index() as u32); N]);
            }
        }
    }
    fn make<const N: usize>(tag: u32) -> Box<dyn Checked> {
        let zeroed = PerCpuBox::<[u32; N]>::try_zeroed().expect("memory");
        assert!(zeroed.iter().all(|(_, copy)| *copy == [0; N]), "what was used before is zero again");
        drop(zeroed);
        let of = |cpu: percpu_rt::CpuId| [tag.wrapping_add(cpu.index() as u32); N];
        Box::new((tag, PerCpuBox::try_new_with(of).expect("memory")))
    }
    const KINDS: [fn(u32) -> Box<dyn Checked>; 7] =
        [make::<1>, make::<2>, make::<3>, make::<16>, make::<75>, make::<300>, make::<1024>];
    let operations = if tool::is_set(tool::SANITIZED) { 3000 } else { 30_000 };
    let passed: Mutex<Vec<Box<dyn Checked>>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let passed = &passed;
            scope.spawn(move || {
                let mut random = Random::new(thread + 1);
                let cpus = pin::allowed();
                let mut own: Vec<Box<dyn Checked>> = Vec::new();
                for operation in 0..operations {
                    match random.below(100) {
                        0 => pin::pin(None, cpus[random.below(cpus.len())]).expect("an allowed CPU"),
                        1..=8 => {
                            let mut passed = passed.lock().expect("nobody panics");
                            passed.extend(own.pop());
                            if passed.len() > 300 {
                                let at = random.below(passed.len());
                                own.push(passed.swap_remove(at));
                            }
                        }
                        9..=50 if !own.is_empty() => own.swap_remove(random.below(own.len())).check(),
                        _ => own.push(KINDS[random.below(KINDS.len())]((operation << 4) as u32 | thread as u32)),
                    }
                }
                own.iter().for_each(|object| object.check());
            });
        }
    });
    passed.lock().expect("nobody panics").drain(..).for_each(|object| object.check());
    let stats = stats();
    assert_eq!((stats.nr_cur_alloc, stats.live_bytes), (0, 0));
}

/// A thread of the parent's is in the middle of a drop, again and again, while another one forks.
#[test]
fn a_child_goes_on_without_what_others_had_in_hand() {
    if !alone("stock::a_child_goes_on_without_what_others_had_in_hand") {
        return;
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        for cpu in pin::allowed() {
            let stop = &stop;
            scope.spawn(move || {
                pin::pin(None, cpu).expect("an allowed CPU");
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    drop(fill(40));
                }
            });
        }
        scope.spawn(|| {
            // In the middle of emptying, too.
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = stats();
            }
        });
        let kept = fill(100);
        for _ in 0..200 {
            // SAFETY: the child uses per-CPU variables and ends.
            match unsafe { libc::fork() } {
                0 => {
                    let boxes: Vec<_> = (0..300_u64).map(|tag| PerCpuBox::try_new([tag; 8])).collect();
                    let are_fine = |tag: usize, boxed: &PerCpuBox<[u64; 8]>| {
                        boxed.iter().all(|(_, copy)| *copy == [tag as u64; 8])
                    };
                    let fine = boxes.iter().flatten().enumerate().all(|(tag, boxed)| are_fine(tag, boxed))
                        && boxes.iter().all(Result::is_ok)
                        && kept.iter().enumerate().all(|(tag, boxed)| are_fine(tag, boxed));
                    drop(boxes);
                    // Puts every CPU's stock back, which would wait for who is not there.
                    let counted = stats().nr_cur_alloc > 0;
                    // SAFETY: ends the child.
                    unsafe { libc::_exit(i32::from(!(fine && counted))) }
                }
                child => {
                    let mut status = 0;
                    // SAFETY: our child.
                    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                    assert_eq!(status, 0);
                }
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(possible_cpus().count() > 1);
}

/// A handler that empties stocks leaves the error number, also where the kernel refuses what that takes.
#[test]
#[cfg_attr(any(percpu_backend = "generic", not(target_arch = "x86_64")), ignore = "it needs no barrier")]
fn the_error_number_stays() {
    if !tool::skip_sanitized("the sandbox") {
        let text = membarrier::output_without("stock::with_an_error_number", libc::ENOSYS);
        assert!(text.contains("1 passed"), "{text}");
    }
}

#[test]
#[ignore = "the test before has a process for it"]
fn with_an_error_number() {
    const UNTOUCHED: i32 = 4242;
    drop(fill(4000));
    if membarrier::disarm() {
        // SAFETY: the thread's own error number.
        unsafe { *libc::__errno_location() = UNTOUCHED };
        let _ = stats();
        // SAFETY: as above.
        assert_eq!(unsafe { *libc::__errno_location() }, UNTOUCHED);
    }
}

/// Types of one size have each other's places, where those are aligned for all of them; what asks for more has its own.
#[test]
fn types_of_a_size_are_aligned_as_they_ask() {
    macro_rules! aligned {
        ($($align:literal),+) => {
            [$({
                #[repr(align($align))]
                #[derive(Clone)]
                #[allow(dead_code, reason = "it has a size")]
                struct Aligned([u8; 512]);
                fn make() -> Box<dyn Send> {
                    let boxed = PerCpuBox::try_new(Aligned([1; 512])).expect("memory");
                    assert!(boxed.per_cpu_ptr(possible_cpus().next().expect("a CPU")).addr().is_multiple_of($align));
                    Box::new(boxed)
                }
                make as fn() -> Box<dyn Send>
            }),+]
        };
    }
    let makers = aligned!(4, 16, 64, 128, 256, 512);
    let mut random = Random::new(5);
    pin::on(pin::allowed()[0], || {
        // Holes at odd places, of which some are large enough.
        let mut beside: Vec<_> = (0..12_000).map(|at| Some(PerCpuBox::try_new([at; 131]).expect("memory"))).collect();
        beside.iter_mut().step_by(3).for_each(|boxed| *boxed = None);
        // Not in stock, where another size may want their magazine.
        let _ = stats();
        let mut live: Vec<_> = (0..4000).map(|_| makers[random.below(makers.len())]()).collect();
        for _ in 0..20_000 {
            drop(live.swap_remove(random.below(live.len())));
            live.push(makers[random.below(makers.len())]());
        }
    });
}

/// An address is no better aligned than its page: what asks for more is refused, also where a place in stock has an offset
/// that would do.
#[test]
fn no_place_in_stock_has_more_than_a_page_s_alignment() {
    /// One has no size, so a byte is allocated for it.
    #[repr(align(8192))]
    struct Aligned;
    if !alone("stock::no_place_in_stock_has_more_than_a_page_s_alignment") {
        return;
    }
    pin::on(pin::allowed()[0], || {
        let mut boxes: Vec<_> = (0..8000).map(|_| PerCpuBox::try_new([0_u8; 4]).expect("memory")).collect();
        // Each time another place is the last that came into stock.
        while boxes.pop().is_some() {
            let refused = PerCpuBox::try_new_with(|_| Aligned).map(drop);
            assert_eq!(refused, Err(AllocError::BadAlign { align: 8192, max: 4096 }));
        }
    });
}
