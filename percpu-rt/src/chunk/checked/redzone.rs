//! The bytes behind an object: how many, and what is in them.

use core::ops::Range;

use super::object::Object;
use crate::chunk::map::holes::GRANULE;
use crate::chunk::memory::Memory;

/// What a byte behind an object holds.
const REDZONE: u8 = 0xb5;

/// What a byte of a freed object holds until another gets its place.
pub const POISON: u8 = 0xdb;

/// The fewest and the most bytes behind an object, but for what fills a granule.
const LEAST: usize = 16;
const MOST: usize = 256;

/// One byte in so many, between the two: what comes next in an array of four or more is caught wherever it is written to.
const PART: usize = 4;

/// Bytes to be asked for where an object of `size` is wanted.
pub(super) const fn with_redzone(size: usize) -> usize {
    let part = size / PART;
    let zone = if part < LEAST {
        LEAST
    } else if part > MOST {
        MOST
    } else {
        part
    };
    size.saturating_add(zone)
}

/// Bytes of the place that an object of `size` gets.
pub(super) const fn place(size: usize) -> usize {
    with_redzone(size).next_multiple_of(GRANULE)
}

/// The largest object that `bytes` have room for.
pub(super) const fn largest(bytes: usize) -> usize {
    let mut size = bytes.saturating_sub(MOST);
    while with_redzone(size + 1) <= bytes {
        size += 1;
    }
    size
}

/// The offsets behind `object`.
const fn zone(object: &Object) -> Range<usize> {
    object.offset + object.size..object.place().end
}

/// Writes the pattern behind `object` in every unit.
///
/// # Safety
///
/// The object's place is populated, and allocated to nobody but the caller.
pub(super) unsafe fn fill(memory: &impl Memory, object: &Object) {
    // SAFETY: a part of the place.
    unsafe { write(memory, zone(object), REDZONE) };
}

/// Overwrites `object` and what is behind it in every unit.
///
/// # Safety
///
/// As [`fill`].
pub(super) unsafe fn poison(memory: &impl Memory, object: &Object) {
    // SAFETY: the place.
    unsafe { write(memory, object.place(), POISON) };
}

/// # Safety
///
/// The offsets are populated, and nobody else's.
unsafe fn write(memory: &impl Memory, offsets: Range<usize>, byte: u8) {
    for unit in 0..memory.units() {
        // SAFETY: the caller's promise; addresses within a range of the allocator differ as offsets do.
        unsafe { memory.copy(unit, offsets.start).write_bytes(byte, offsets.len()) };
    }
}

/// The unit, and the bytes from the object's begin, where the pattern is broken first.
///
/// # Safety
///
/// The object is live, and stays so meanwhile.
pub(super) unsafe fn damage(memory: &impl Memory, object: &Object) -> Option<(usize, usize)> {
    let zone = zone(object);
    (0..memory.units()).find_map(|unit| {
        let start = memory.copy(unit, zone.start);
        // SAFETY: what is behind a live object is populated, was filled before the object was given to anybody, and belongs to no
        // user: who writes there nevertheless does not keep to the object.
        let bad = (0..zone.len()).find(|&at| unsafe { start.add(at).read() } != REDZONE)?;
        Some((unit, object.size + bad))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_objects_and_a_quarter_within_bounds() {
        assert_eq!([1, 4, 64, 100, 1024, 1 << 20].map(with_redzone), [17, 20, 80, 125, 1280, (1 << 20) + 256]);
        assert_eq!([1, 4, 64, 100].map(place), [20, 20, 80, 128]);
        assert_eq!(with_redzone(usize::MAX), usize::MAX);
    }

    #[test]
    fn the_largest_object_fits_and_the_next_does_not() {
        for bytes in 17..5000 {
            let size = largest(bytes);
            assert!(with_redzone(size) <= bytes && with_redzone(size + 1) > bytes, "{bytes}");
        }
        assert_eq!(largest(4), 0);
    }
}
