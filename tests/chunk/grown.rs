//! Growth by chunks, and what is left of them.

use std::ops::Range;

use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, SpinLock};
use percpu_tests::model::Model;
use percpu_tests::random::Random;
use percpu_tests::units::{Pages, Units};

/// The ranges that units of `bytes` will have given out in chunks of `chunk` bytes.
pub(crate) fn chunks(bytes: usize, chunk: usize, page_size: usize) -> Vec<Range<usize>> {
    (0..).step_by(chunk + page_size).map(|begin| begin..begin + chunk).take_while(|chunk| chunk.end <= bytes).collect()
}

/// Objects lie in one chunk each, also where the offsets of two chunks are a page apart. The last chunk is filled, too.
#[test]
fn nothing_straddles_chunks() {
    let (bytes, chunk) = (1 << 20, 32 << 10);
    for size in [4096, 12 << 10, 20 << 10, 32 << 10] {
        let units = Units::new(2, bytes, 4096, Pages::Checked).in_chunks(chunk);
        let ranges = chunks(bytes, chunk, 4096);
        let mut model = Model::growing(units, 4096, &ranges);
        for _ in 0..ranges.len() * (chunk / size) {
            model.alloc(size, 4, AllocFlags::NONE).expect("a chunk more, or room in the last");
        }
        assert_eq!(model.alloc(size, 4, AllocFlags::NONE), Err(AllocError::Exhausted { size, align: 4 }));
        model.finish();
    }
}

/// What no chunk can hold is told apart from what no chunk has room for, and asks for none.
#[test]
fn larger_than_any_chunk() {
    let chunk = 32 << 10;
    let units = Units::new(1, 1 << 20, 4096, Pages::Checked).in_chunks(chunk);
    let mut model = Model::growing(units, 4096, &chunks(1 << 20, chunk, 4096));
    model.alloc(4, 4, AllocFlags::NONE).expect("a chunk");
    let size = chunk + 1;
    let before = model.allocator.stats();
    assert_eq!(model.alloc(size, 4, AllocFlags::NONE), Err(AllocError::TooLarge { size, max: chunk }));
    assert_eq!(model.allocator.stats(), before);
    model.finish();
}

/// A fuller chunk is filled before another is asked for: exactly as many as the objects take.
#[test]
fn no_chunk_too_many() {
    let (bytes, chunk) = (4 << 20, 64 << 10);
    let units = Units::new(1, bytes, 4096, Pages::Checked).in_chunks(chunk);
    let ranges = chunks(bytes, chunk, 4096);
    let mut model = Model::growing(units, 4096, &ranges);
    // Every block's half is free, and then half of those are whole.
    let offsets: Vec<_> =
        (0..3 * chunk / 2048).map(|_| model.alloc(2048, 2048, AllocFlags::NONE).expect("room")).collect();
    for offset in offsets.iter().filter(|offset| *offset % 8192 != 0) {
        model.free(*offset);
    }
    for _ in 0..3 * chunk / 8192 {
        let offset = model.alloc(4096, 4096, AllocFlags::NONE).expect("an aligned page");
        assert!(offset < ranges[2].end, "{offset:#x} is in a chunk more");
    }
    model.finish();
}

/// Records go with the objects: of a tenth of them, a tenth; without any, a few pages.
#[test]
fn records_are_as_many_as_the_objects() {
    let objects = if cfg!(debug_assertions) { 20_000 } else { 200_000 };

    let units = Units::new(1, 1 << 30, 4096, Pages::Counted);
    {
        let allocator = Allocator::new(&units, SpinLock::new(), 4096);
        // SAFETY: the units are this test's.
        unsafe { allocator.add_range(0..1 << 30) }.expect("records");
        let mut random = Random::new(7);
        let mut offsets = Vec::new();
        for _ in 0..objects {
            let size = 4 + random.below(2000);
            offsets.push(allocator.alloc(size, 4, AllocFlags::NONE).expect("room"));
        }
        let peak = allocator.stats();
        assert_eq!(peak.metadata_bytes, units.metadata_pages() * 4096);
        println!("{} bytes of records for {} of objects", peak.metadata_bytes, peak.live_bytes);
        assert!(peak.metadata_bytes <= (32 << 10) + peak.populated_bytes * 8 / 100);
        offsets.sort_unstable();
        let few = offsets.len() / 10;
        for offset in offsets.drain(few..) {
            allocator.free(offset).expect("live");
        }
        allocator.balance();
        let tenth = allocator.stats().metadata_bytes;
        assert!(tenth <= peak.metadata_bytes / 8 + (16 << 10), "{tenth} of {}", peak.metadata_bytes);
        for offset in offsets {
            allocator.free(offset).expect("live");
        }
        allocator.balance();
        let stats = allocator.stats();
        assert!(stats.populated_bytes <= 4 * 4096, "{stats:?}");
        assert!(stats.metadata_bytes <= 32 << 10, "{stats:?}");
        assert!(stats.nr_chunks <= 4, "{stats:?}");
    }
    assert_eq!(units.metadata_pages(), 0);
}
