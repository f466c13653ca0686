//! Whether the layout record of this image holds for this process.
//!
//! A record can be stale, foreign or damaged, or made for a smaller machine. Nothing of it is used then, and nothing is said: units
//! are laid out as if there were none.

use super::memory::Need;
use crate::abi::record::{ByteOrder, Record};
use crate::arch;

/// The unit size that the record states, if it is the record of this image and has room for what is needed.
pub(super) fn unit_size(need: Need, static_size: u64, alignment: usize) -> Option<usize> {
    let record = Record::decode(&arch::layout_record(), ByteOrder::NATIVE).ok()??;
    let holds = is_of(&record, static_size, alignment as u64) && has_room(&record, need);
    usize::try_from(record.unit_size).ok().filter(|_| holds)
}

/// Whether the record was made for the image with these properties.
fn is_of(record: &Record, static_size: u64, alignment: u64) -> bool {
    record.static_size == static_size && record.align == alignment
}

/// Whether units as the record has them do for this machine.
fn has_room(record: &Record, need: Need) -> bool {
    record.nr_units >= need.used as u64
        && record.unit_size >= need.bytes as u64
        && record.unit_size.is_multiple_of(need.align as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record =
        Record { static_size: 72, reserved_size: 0, dyn_size: 0, align: 64, unit_size: 1 << 16, nr_units: 5 };

    #[test]
    fn a_record_is_of_the_image_that_it_describes() {
        assert!(is_of(&RECORD, 72, 64));
        assert!(!is_of(&RECORD, 80, 64), "another template");
        assert!(!is_of(&RECORD, 72, 4096), "another alignment");
    }

    #[test]
    fn a_record_holds_on_machines_that_are_no_larger() {
        let need = Need { used: 5, bytes: 40_960, align: 4096 };
        assert!(has_room(&RECORD, need));
        assert!(has_room(&RECORD, Need { used: 2, ..need }));
        assert!(!has_room(&RECORD, Need { used: 6, ..need }), "more CPUs");
        assert!(!has_room(&RECORD, Need { bytes: 65_537, ..need }), "larger pages");
        assert!(!has_room(&RECORD, Need { align: 1 << 17, ..need }), "larger pages");
    }
}
