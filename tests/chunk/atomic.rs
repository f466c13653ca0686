//! What is reserved for atomic allocations is there for them, and for nobody else.

use percpu_rt::chunk::{AllocError, AllocFlags};
use percpu_tests::model::Model;
use percpu_tests::random::Random;
use percpu_tests::units::{Pages, Units};

use crate::valgrind::load;

/// Allocates atomically until as much is used as was reserved, as a reserve counts it.
fn burst(model: &mut Model<&Units>, random: &mut Random, page_size: usize, reserved: usize) {
    let mut left = reserved;
    // No pages from here on, not even for records.
    Units::grant(Some(0));
    while left >= 4 {
        let most = left.ilog2().min(page_size.ilog2() + 2);
        let log = 2 + random.bits() as u32 % (most - 1);
        let (align, most) = ((1_usize << (random.bits() as u32 % (log + 1))).min(page_size), 1 << log);
        let size = most / 2 + 1 + random.below(most / 2);
        let counted = if most > page_size { size.next_multiple_of(page_size) } else { most };
        if counted <= left {
            let offset = model.alloc(size, align, AllocFlags::ATOMIC);
            assert!(offset.is_ok(), "{size} at {align}, with {left} of {reserved} left: {offset:?}");
            left -= counted;
        }
    }
    Units::grant(None);
}

/// Reserves and uses it up, in maps that others have used before.
fn use_up(mut random: Random, page_size: usize) {
    let bytes = 64 * page_size;
    for _ in 0..load(if cfg!(debug_assertions) { 20 } else { 200 }) {
        let units = Units::new(2, bytes, page_size, Pages::Checked);
        let mut model = Model::new(&units, page_size, std::slice::from_ref(&(0..bytes)), false);
        for _ in 0..random.below(500) {
            model.step(&mut random, 100);
        }
        for _ in 0..2 {
            let reserved = 1 + random.below(bytes / 4);
            match model.allocator.reserve_atomic(reserved) {
                Ok(()) => burst(&mut model, &mut random, page_size, reserved),
                // It is of whole pages that adjoin.
                Err(error) => assert!(matches!(error, AllocError::Exhausted { .. }), "{error}"),
            }
        }
        model.finish();
        assert_eq!(units.metadata_pages(), 0);
    }
}

#[test]
fn none_fails_within_what_is_reserved() {
    for page_size in [4 << 10, 16 << 10, 64 << 10] {
        use_up(Random::printed(), page_size);
    }
}

/// Blocks that were freed for one that is aligned beyond them have their bits still, when the reserve is used up and a lower idle block
/// has none. One in some thousand bursts comes to that, as these do.
#[test]
fn the_bits_of_idle_blocks_are_used() {
    for page_size in [4 << 10, 16 << 10, 64 << 10] {
        use_up(Random::new(1_795_735_998_769_038_687), page_size);
    }
}

#[test]
fn nobody_else_gets_what_is_reserved() {
    let (bytes, reserved) = (256 << 10, 64 << 10);
    let units = Units::new(1, bytes, 4096, Pages::Checked);
    let mut model = Model::new(&units, 4096, std::slice::from_ref(&(0..bytes)), false);
    let none = model.allocator.stats();
    model.allocator.reserve_atomic(reserved).expect("room");
    assert!(model.allocator.stats().populated_bytes >= none.populated_bytes + reserved);
    model.allocator.reserve_atomic(reserved).expect("it is there");
    let reserve = model.allocator.stats();
    assert_eq!(reserve.nr_alloc, none.nr_alloc + 1, "the second call has nothing to do");
    assert_eq!((reserve.nr_cur_alloc, reserve.live_bytes), (0, 0));
    model.allocator.balance();
    // Whoever asks for all there is, and frees what was never given to him.
    while model.alloc(64, 4, AllocFlags::NONE).is_ok() {}
    for offset in (0..bytes).step_by(64).filter(|offset| !model.offsets().contains(offset)).collect::<Vec<_>>() {
        model.allocator.size_of(offset).expect_err("it is reserved");
        model.allocator.free(offset).expect_err("it is reserved");
    }
    // Nor does whoever asks for more than that give it up.
    model.alloc(2 * reserved, 4, AllocFlags::ATOMIC).expect_err("it is not so large");
    model.allocator.balance();
    Units::grant(Some(0));
    for number in 0..reserved / 64 {
        model.alloc(64, 64, AllocFlags::ATOMIC).unwrap_or_else(|error| panic!("{number}: {error}"));
    }
    Units::grant(None);
    model.finish();
}

/// A reserve that cannot be had leaves the one before.
#[test]
fn a_refused_reserve_changes_nothing() {
    let bytes = 256 << 10;
    for calls in 0..8 {
        let units = Units::new(2, bytes, 4096, Pages::Checked);
        let mut model = Model::new(&units, 4096, std::slice::from_ref(&(0..bytes)), false);
        model.allocator.reserve_atomic(16 << 10).expect("room");
        Units::grant(Some(calls));
        let second = model.allocator.reserve_atomic(128 << 10);
        Units::grant(None);
        assert!(calls > 0 || second.is_err());
        let reserved = if second.is_ok() { 128 << 10 } else { 16 << 10 };
        burst(&mut model, &mut Random::new(calls as u64), 4096, reserved);
        let too_much = model.allocator.reserve_atomic(usize::MAX);
        assert!(matches!(too_much, Err(AllocError::TooLarge { .. })), "{too_much:?}");
        model.finish();
        assert_eq!(units.metadata_pages(), 0);
    }
}
