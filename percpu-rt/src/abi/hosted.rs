//! How large the units of a Linux process are, where nobody says otherwise.
//!
//! A unit is address space: far more than the static variables need, since dynamic chunks are ranges of the same
//! units, and no memory until it is used.
//!
//! It is a power of two, and a little less. Copies of a variable that lie such powers apart have addresses that are the same but for
//! their highest bits, and some processors tell addresses apart without those before they look: AMD's since Zen find the way of their
//! first-level cache by a hash of bits 12 to 27 (Lipp et al., "Take A Way", 2020), so of such copies they have one at a time at hand.

/// Address space that the units are to take in all, where nothing asks for less: 1 TiB, of 128 that a process has.
pub const RESERVATION: u64 = 1 << 40;

/// The largest unit; more would only make the kernel's and debuggers' listings harder to read.
pub const LARGEST_UNIT: u64 = 1 << 34;

/// Units that a process with CPUs `0..cpus` uses: one a CPU, and the orphan.
#[must_use]
pub const fn used_units(cpus: u64) -> u64 {
    cpus.saturating_add(1)
}

/// Units that are reserved where `used` are used: one more, never opened, for numbers that are not expected.
#[must_use]
pub const fn reserved_units(used: u64) -> u64 {
    used.saturating_add(1)
}

/// The smallest unit that is tried: a power of two with room for `bytes`, aligned to `align`, a power of two.
///
/// `None` where that exceeds 64 bits.
#[must_use]
pub const fn smallest_unit(bytes: u64, align: u64) -> Option<u64> {
    match bytes.checked_next_power_of_two() {
        Some(size) if size < align => Some(align),
        size => size,
    }
}

/// The unit that is tried first where `used` units are used: a multiple of `smallest`, which is [`smallest_unit`], less by one of that
/// than a power of two, so that it is aligned as that is.
#[must_use]
pub const fn preferred_unit(used: u64, smallest: u64) -> u64 {
    let share = match reserved_units(used).checked_next_power_of_two() {
        Some(units) => RESERVATION / units,
        None => 0,
    };
    let share = if share > LARGEST_UNIT { LARGEST_UNIT } else { share };
    if share <= smallest { smallest } else { share - smallest }
}

/// The unit that is tried where the kernel has refused `unit`: about half as large. `None` where there is none smaller than
/// `smallest`.
#[must_use]
pub const fn next_unit(unit: u64, smallest: u64) -> Option<u64> {
    let share = unit.saturating_add(smallest) / 2;
    if unit <= smallest {
        None
    } else if share <= smallest {
        Some(smallest)
    } else {
        Some(share - smallest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_share_the_reservation() {
        let smallest = smallest_unit(40_960, 4096).unwrap();
        assert_eq!(smallest, 65_536);
        for (cpus, unit) in [(1, 1 << 34), (4, 1 << 34), (62, 1 << 34), (63, 1 << 33), (200, 1 << 32), (8192, 1 << 26)]
        {
            assert_eq!(preferred_unit(used_units(cpus), smallest), unit - smallest, "{cpus} cpus");
        }
        assert_eq!(preferred_unit(u64::MAX, smallest), smallest);
        assert_eq!(preferred_unit(1, 1 << 35), 1 << 35, "what is needed comes before what is preferred");
    }

    /// As AMD's processors hash a page's address.
    #[test]
    fn copies_differ_in_what_processors_look_at() {
        let hash = |address: u64| {
            [27, 26, 25, 20, 21, 22, 23, 24]
                .iter()
                .zip(12..)
                .map(move |(high, low)| (address >> low ^ address >> high) & 1)
        };
        for cpus in [1, 4, 30, 200] {
            let unit = preferred_unit(used_units(cpus), smallest_unit(40_960, 4096).unwrap());
            let used = used_units(cpus).min(32);
            let differ = |one: u64, other: u64| !hash(one * unit).eq(hash(other * unit));
            assert!((1..used).all(|one| (0..one).all(|other| differ(one, other))), "{cpus} cpus, {unit:#x}");
        }
    }

    #[test]
    fn smaller_units_are_tried_down_to_the_smallest() {
        let smallest = smallest_unit(40_960, 4096).unwrap();
        let tried = core::iter::successors(Some(preferred_unit(5, smallest)), |unit| next_unit(*unit, smallest));
        assert!(tried.clone().all(|unit| unit.is_multiple_of(smallest)));
        assert_eq!(tried.clone().nth(1), Some((1 << 33) - smallest));
        assert_eq!((tried.clone().count(), tried.last()), (18, Some(smallest)));
    }

    #[test]
    fn the_smallest_unit_has_room_and_alignment() {
        assert_eq!(smallest_unit(1, 4096), Some(4096));
        assert_eq!(smallest_unit(0, 1), Some(1));
        assert_eq!(smallest_unit(1 << 63, 4096), Some(1 << 63));
        assert_eq!(smallest_unit((1 << 63) + 1, 4096), None);
    }
}
