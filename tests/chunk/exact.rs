//! The places that an index may not know of. A free aligned hole is always found.

use percpu_rt::chunk::{AllocError, AllocFlags};
use percpu_tests::model::Model;
use percpu_tests::random::Random;
use percpu_tests::units::{Pages, Units};

use crate::valgrind::{is_short, load};

const PAGE: usize = 4096;

fn model(bytes: usize, page_size: usize) -> Model {
    let units = Units::new(2, bytes, page_size, Pages::Checked);
    Model::new(units, page_size, std::slice::from_ref(&(0..bytes)), false)
}

/// Fills all of it with objects of `size` bytes, ascending.
fn fill(model: &mut Model, size: usize) -> Vec<usize> {
    let mut offsets: Vec<_> = std::iter::from_fn(|| model.alloc(size, 4, AllocFlags::NONE).ok()).collect();
    offsets.sort_unstable();
    offsets
}

/// Linux's case: the longest hole does not fit once it is aligned, a shorter one does.
#[test]
fn the_longest_hole_is_misaligned() {
    let mut model = model(64 << 10, PAGE);
    let offsets = fill(&mut model, 64);
    // From 64 on 4096 + 1024 + 960 bytes, in which no page begins but one whose end is taken; and an aligned page.
    for offset in offsets {
        if (64..4096 + 2048).contains(&offset) && offset != 4096 + 1984 || (12 * PAGE..13 * PAGE).contains(&offset) {
            model.free(offset);
        }
    }
    assert_eq!(model.alloc(PAGE, PAGE, AllocFlags::NONE), Ok(12 * PAGE));
    assert_eq!(model.alloc(PAGE, PAGE, AllocFlags::NONE), Err(AllocError::Exhausted { size: PAGE, align: PAGE }));
    assert_eq!(model.alloc(PAGE, 4, AllocFlags::NONE), Ok(64));
    model.finish();
}

/// One aligned page is left, wherever it is.
#[test]
fn one_aligned_page_is_left() {
    for page_size in [PAGE, 16 << 10, 64 << 10] {
        let bytes = 256 << 10;
        for place in (0..bytes).step_by(page_size).step_by(if is_short() { 16 } else { 1 }) {
            let mut model = model(bytes, page_size);
            // Half a page is taken of every other.
            while let Ok(offset) = model.alloc(page_size / 2, page_size / 2, AllocFlags::NONE) {
                if offset == place {
                    model.free(offset);
                    model.alloc(page_size, page_size, AllocFlags::NONE).expect("the page itself");
                }
            }
            let taken: Vec<_> = model.offsets().to_vec();
            for offset in taken {
                if offset == place || offset % page_size != 0 {
                    model.free(offset);
                }
            }
            let error = AllocError::Exhausted { size: page_size, align: page_size };
            assert_eq!(model.alloc(page_size, page_size, AllocFlags::NONE), Ok(place));
            assert_eq!(model.alloc(page_size, page_size, AllocFlags::NONE), Err(error));
            model.finish();
        }
    }
}

/// A hole that reaches from one block into the next, and no block has half of it.
#[test]
fn a_hole_across_blocks() {
    for (begin, end) in [(4096 - 1024, 4096 + 1024), (2 * 4096 - 64, 3 * 4096 + 64), (128 << 10, (128 << 10) + 64)] {
        let (begin, end) = if end - begin == 64 { (begin - 32, end - 32) } else { (begin, end) };
        let mut model = model(256 << 10, PAGE);
        for offset in fill(&mut model, 32) {
            if (begin..end).contains(&offset) {
                model.free(offset);
            }
        }
        let size = end - begin;
        assert_eq!(model.alloc(size + 4, 4, AllocFlags::NONE), Err(AllocError::Exhausted { size: size + 4, align: 4 }));
        assert_eq!(model.alloc(size, 4, AllocFlags::NONE), Ok(begin));
        model.finish();
    }
}

/// Small objects find their place among large ones where there is no other, and large ones among small ones.
#[test]
fn a_hole_in_the_other_zone() {
    for (filled, wanted) in [(1024, 16), (16, 1024)] {
        let mut model = model(64 << 10, PAGE);
        let offsets = fill(&mut model, filled);
        let begin = offsets[offsets.len() / 2] / 1024 * 1024;
        for offset in offsets {
            if (begin..begin + wanted.max(filled)).contains(&offset) {
                model.free(offset);
            }
        }
        assert_eq!(model.alloc(wanted, 4, AllocFlags::NONE), Ok(begin));
        model.finish();
    }
}

/// What a node says of its leaves is true again once a hole is taken: the next is found in another leaf, and no page
/// is populated for want of it.
#[test]
fn a_hole_in_another_leaf() {
    const SIZE: usize = 1000;
    let mut model = model(64 << 20, PAGE);
    let count = 40 * 32 * (PAGE / SIZE);
    let offsets: Vec<_> = (0..count).map(|_| model.alloc(SIZE, 4, AllocFlags::NONE).expect("room")).collect();
    let populated = model.allocator.stats().populated_bytes;
    assert!(populated <= count * SIZE * 21 / 20, "{populated} bytes are populated for {}", count * SIZE);
    for leaf in [30, 5, 39, 17, 33] {
        let hole = offsets[leaf * 128 + 70];
        model.free(hole);
        assert_eq!(model.alloc(SIZE, 4, AllocFlags::NONE), Ok(hole));
    }
    assert_eq!(model.allocator.stats().populated_bytes, populated);
    model.finish();
}

/// All of a unit in one object, beyond 32 KiB and at once.
#[test]
fn as_large_as_the_unit() {
    for bytes in [256 << 10, 4 << 20] {
        let mut model = model(bytes, PAGE);
        for size in [bytes, bytes / 2 + 4, bytes] {
            assert_eq!(model.alloc(size, PAGE, AllocFlags::NONE), Ok(0));
            model.free(0);
        }
        let size = bytes + 1;
        assert_eq!(model.alloc(size, 4, AllocFlags::NONE), Err(AllocError::TooLarge { size, max: bytes }));
        model.finish();
    }
}

/// Linux's `pcpu_alloc_test` (lib/test_vmalloc.c): 35,000 objects of up to a quarter of a page, at every alignment up to half of one; none may fail.
#[test]
fn linux_pcpu_alloc_test() {
    let mut random = Random::printed();
    for page_size in [PAGE, 16 << 10, 64 << 10] {
        let objects =
            load(if page_size == PAGE && !cfg!(debug_assertions) { 35_000 } else { 35_000 * 4096 / page_size as u64 });
        let units = Units::new(2, 256 << 20, page_size, Pages::Checked);
        let mut model = Model::new(units, page_size, std::slice::from_ref(&(0..256 << 20)), false);
        let offsets: Vec<_> = (0..objects)
            .map(|_| {
                let size = 1 + random.below(page_size / 4);
                let align = 1 << (1 + random.below(page_size.ilog2() as usize - 1));
                model.alloc(size, align, AllocFlags::NONE).expect("room enough")
            })
            .collect();
        let stats = model.allocator.stats();
        println!("{} bytes populated for {} live ones, pages of {page_size}", stats.populated_bytes, stats.live_bytes);
        for offset in offsets {
            model.free(offset);
        }
        model.finish();
    }
}
