//! Random operations against the naive model.

use std::ops::Range;

use percpu_tests::model::Model;
use percpu_tests::random::Random;
use percpu_tests::tool;
use percpu_tests::units::{Pages, Units};

use crate::grown::chunks;
use crate::valgrind::load;

/// Steps of a run: as many of each shape. Optimised, more than ten million in all.
fn steps() -> u64 {
    load(if cfg!(debug_assertions) {
        60_000
    } else if tool::is_set(tool::FULL) {
        20_000_000
    } else {
        2_500_000
    })
}

/// Steps until there are enough, and checks that nothing is left.
fn run(mut model: Model, most_live: usize, steps: u64) {
    let mut random = Random::printed();
    while model.operations < steps {
        model.step(&mut random, most_live);
    }
    println!("{} operations", model.operations);
    model.finish();
}

/// Runs on units of `bytes`, of which the first range is populated for good if that is `fixed`.
fn run_on(bytes: usize, page_size: usize, ranges: &[Range<usize>], fixed: bool, most_live: usize) {
    let units = Units::new(3, bytes, page_size, Pages::Checked);
    run(Model::new(units, page_size, ranges, fixed), most_live, steps());
}

/// A first chunk that is always near its end: what is refused has no room, not even across borders.
#[test]
fn tight() {
    run_on(64 << 10, 4096, &[200..12 << 10, 16 << 10..64 << 10], true, 400);
}

/// Pages of several blocks, which come and go together.
#[test]
fn larger_pages() {
    run_on(4 << 20, 16 << 10, std::slice::from_ref(&(0..4 << 20)), false, 1000);
}

/// Large pages, with a page between two ranges that is nobody's.
#[test]
fn large_pages() {
    run_on(2 << 20, 64 << 10, &[0..1 << 20, (1 << 20) + (64 << 10)..2 << 20], false, 2000);
}

/// Every other page size, with and without a first chunk that is shared with others.
#[test]
fn all_pages() {
    for page_size in [8 << 10, 32 << 10, 128 << 10] {
        let bytes = 16 * page_size;
        let whole = std::slice::from_ref(&(0..bytes)).to_vec();
        let shared = vec![200..2 * page_size, 3 * page_size..bytes];
        for (ranges, fixed) in [(whole, false), (shared, true)] {
            let units = Units::new(2, bytes, page_size, Pages::Checked);
            run(Model::new(units, page_size, &ranges, fixed), 1500, steps() / 10);
        }
    }
}

/// Room enough: pages are populated and given back.
#[test]
fn roomy() {
    run_on(64 << 20, 4096, std::slice::from_ref(&(4096..64 << 20)), false, 3000);
}

/// A chunk at a time, none beside another.
#[test]
fn grown() {
    let units = Units::new(3, 4 << 20, 4096, Pages::Checked).in_chunks(64 << 10);
    run(Model::growing(units, 4096, &chunks(4 << 20, 64 << 10, 4096)), 1500, steps());
}
