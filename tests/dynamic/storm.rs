//! Threads that allocate and free at once, with every byte of every copy checked.

use std::thread;

use percpu_rt::{AllocFlags, stats};
use percpu_tests::random::Random;
use percpu_tests::tool;

use crate::alone;
use crate::object::Object;

const THREADS: usize = 4;

/// Operations of a thread.
fn operations() -> usize {
    if tool::is_set(tool::FULL) { 200_000 } else { 10_000 }
}

/// Objects that a thread has at once.
const LIVE: usize = 200;

/// A few small sizes, and now and then pages.
fn size(random: &mut Random) -> usize {
    match random.below(40) {
        0 => 1 + random.below(40_000),
        1..8 => 1 + random.below(2000),
        _ => 1 + random.below(100),
    }
}

fn churn(thread: u64, mut random: Random) {
    let mut objects: Vec<(u64, Object)> = Vec::new();
    for operation in 0..operations() as u64 {
        if objects.len() == LIVE || !objects.is_empty() && random.below(5) < 2 {
            let (tag, object) = objects.swap_remove(random.below(objects.len()));
            object.check(tag);
            object.free();
            continue;
        }
        let flags = [AllocFlags::NONE, AllocFlags::NONE, AllocFlags::ATOMIC, AllocFlags::RESERVED][random.below(4)];
        let align = 1 << random.below(13);
        match Object::new(size(&mut random), align, flags) {
            Ok(mut object) => {
                let tag = thread << 32 | operation;
                object.fill(tag);
                objects.push((tag, object));
            }
            Err(error) => assert!(flags.contains(AllocFlags::ATOMIC), "{error}"),
        }
    }
    for (tag, object) in objects {
        object.check(tag);
        object.free();
    }
}

#[test]
fn nobody_finds_a_byte_of_another_thread() {
    if !alone("storm::nobody_finds_a_byte_of_another_thread") {
        return;
    }
    let mut random = Random::printed();
    // What is open from the start, so that pages come and go.
    let open = Object::new(1 << 20, 4096, AllocFlags::NONE).expect("there is room");
    thread::scope(|scope| {
        for thread in 0..THREADS as u64 {
            let random = Random::new(random.bits());
            scope.spawn(move || churn(thread, random));
        }
    });
    open.free();
    let stats = stats();
    assert_eq!((stats.nr_cur_alloc, stats.live_bytes, stats.nr_alloc), (0, 0, stats.nr_dealloc));
    assert!(stats.nr_populate > 10 && stats.nr_depopulate > 10, "pages have come and gone: {stats:?}");
}
