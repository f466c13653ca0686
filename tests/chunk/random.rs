//! Random operations against the naive model.

use percpu_tests::model::Model;
use percpu_tests::random::Random;
use percpu_tests::tool;
use percpu_tests::units::{Pages, Units};

/// Steps of a run: as many of each shape.
fn steps() -> u64 {
    if cfg!(debug_assertions) {
        60_000
    } else if tool::is_set(tool::FULL) {
        20_000_000
    } else {
        2_000_000
    }
}

/// Runs the steps on units of `bytes`, of which the first `fixed` are populated for good.
fn run(bytes: usize, page_size: usize, ranges: &[std::ops::Range<usize>], fixed: bool, most_live: usize) {
    let mut random = Random::printed();
    let units = Units::new(3, bytes, page_size, Pages::Checked);
    let mut model = Model::new(units, page_size, ranges, fixed);
    while model.operations < steps() {
        model.step(&mut random, most_live);
    }
    println!("{} operations", model.operations);
    model.finish();
}

/// A first chunk that is always near its end: what is refused has no room, not even across borders.
#[test]
fn tight() {
    run(64 << 10, 4096, &[200..12 << 10, 16 << 10..64 << 10], true, 400);
}

/// Large pages, in which several blocks come and go together.
#[test]
fn large_pages() {
    run(2 << 20, 64 << 10, &[0..1 << 20, (1 << 20) + (64 << 10)..2 << 20], false, 2000);
}

/// Room enough: pages are populated and given back.
#[test]
fn roomy() {
    run(64 << 20, 4096, std::slice::from_ref(&(4096..64 << 20)), false, 3000);
}
