//! What stays populated for the few objects that stay.

use percpu_rt::chunk::{AllocFlags, Allocator, SpinLock};
use percpu_tests::random::Random;
use percpu_tests::units::{Pages, Units};

const UNIT: usize = 1 << 30;

/// Allocates many, of which a tenth are of 4 bytes and stay; returns populated over live bytes when the others are gone.
fn kept(size: impl Fn(&mut Random) -> usize) -> f64 {
    const OBJECTS: usize = if cfg!(debug_assertions) { 30_000 } else { 200_000 };
    let mut random = Random::printed();
    let units = Units::new(1, UNIT, 4096, Pages::Counted);
    let allocator = Allocator::new(&units, SpinLock::new(), 4096);
    // SAFETY: the units are this test's.
    unsafe { allocator.add_range(0..UNIT) }.expect("records");
    let mut others = Vec::new();
    for _ in 0..OBJECTS {
        let stays = random.below(10) == 0;
        let size = if stays { 4 } else { size(&mut random) };
        let offset = allocator.alloc(size, 4, AllocFlags::NONE).expect("room");
        if !stays {
            others.push(offset);
        }
    }
    while !others.is_empty() {
        let offset = others.swap_remove(random.below(others.len()));
        allocator.free(offset).expect("a live object");
        allocator.balance();
    }
    let stats = allocator.stats();
    assert_eq!(stats.live_bytes as u64, stats.nr_cur_alloc * 4);
    stats.populated_bytes as f64 / stats.live_bytes as f64
}

/// 4 to 4096 bytes, every power of two as often as the next. Linux keeps 465 times what is live.
#[test]
fn among_logarithmic_sizes() {
    let kept = kept(|random| {
        let part = random.below(1 << 20) as f64 / f64::from(1 << 20);
        (4.0 * 1024_f64.powf(part)) as usize
    });
    println!("{kept:.1} times what is live is populated");
    assert!(kept <= 25.0, "{kept:.1}");
}

/// 4 to 4096 bytes, every size as often as the next.
#[test]
fn among_uniform_sizes() {
    let kept = kept(|random| 4 + random.below(4093));
    println!("{kept:.2} times what is live is populated");
    assert!(kept <= 5.0, "{kept:.2}");
}
