//! What the bytes of an input mean: a shape of units, and then operations of four bytes each.

#![forbid(unsafe_code)]

use percpu_rt::chunk::AllocFlags;
use percpu_tests::model::Model;
use percpu_tests::units::{Pages, Units};

/// Bytes of an operation.
pub const OPERATION: usize = 4;

/// Runs the operations, and frees what is left.
///
/// # Panics
///
/// Where the allocator does anything that the model does not.
pub fn run(bytes: &[u8]) {
    let Some((&shape, operations)) = bytes.split_first() else { return };
    Units::grant(None);
    let (mut model, page_size) = model(shape);
    let mut refusing = false;
    for operation in operations.chunks_exact(OPERATION) {
        let &[code, first, second, third] = operation else { unreachable!("as long as that") };
        let number = usize::from(u16::from_le_bytes([second, third]));
        match code % 16 {
            // Small ones, any, and by pages.
            0..=6 => {
                let flags = if first & 0x80 == 0 { AllocFlags::NONE } else { AllocFlags::ATOMIC };
                let align = 1 << (u32::from(first) % (page_size.trailing_zeros() + 1));
                let size = match code % 16 {
                    0..=2 => 1 + number % 128,
                    3..=5 => 1 + number,
                    _ => (1 + number % 64) * 4096,
                };
                model.request(size, align, flags, refusing);
            }
            7..=11 => {
                if let Some(&offset) = model.offsets().get(number % model.offsets().len().max(1)) {
                    model.free(offset);
                }
            }
            12 => model.free_wrongly(number << (first % 8)),
            13 => model.allocator.balance(),
            14 => {
                // Calls for pages that succeed from here on; from 64 on, all.
                let calls = usize::from(first) % 128;
                refusing = calls < 64;
                Units::grant(refusing.then_some(calls));
            }
            _ => {
                // Of those that are live, all but every fourth.
                for offset in model.offsets().to_vec() {
                    if !(offset / 4).is_multiple_of(4) {
                        model.free(offset);
                    }
                }
            }
        }
    }
    Units::grant(None);
    model.finish();
}

/// Units by the first byte: pages, one range or several, with or without a first chunk, or in chunks.
fn model(shape: u8) -> (Model, usize) {
    let page_size = 4096 << [0, 0, 2, 4][usize::from(shape) % 4];
    let bytes = 16 * page_size.max(16 << 10);
    let units = Units::new(2, bytes, page_size, Pages::Checked);
    let model = match shape / 4 % 4 {
        0 => Model::new(units, page_size, &[0..bytes], false),
        1 => Model::new(units, page_size, &[200..3 * page_size, 4 * page_size..bytes], true),
        2 => Model::new(units, page_size, &[page_size..5 * page_size, 6 * page_size..bytes], false),
        _ => {
            let chunk = 3 * page_size;
            let step = chunk + page_size;
            let chunks: Vec<_> = (0..bytes / step).map(|number| number * step..number * step + chunk).collect();
            Model::growing(units.in_chunks(chunk), page_size, &chunks)
        }
    };
    (model, page_size)
}
