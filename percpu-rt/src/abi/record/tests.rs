//! Records of both byte orders, and what is taken for none.

use super::*;

const RECORD: Record =
    Record { static_size: 72, reserved_size: 8192, dyn_size: 32_696, align: 4096, unit_size: 1 << 34, nr_units: 5 };

fn patched(order: ByteOrder) -> [u8; SIZE] {
    let mut bytes = unpatched(order);
    RECORD.encode(&mut bytes, order).unwrap();
    bytes
}

#[test]
fn a_record_reads_as_it_was_written() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        assert_eq!(Record::decode(&unpatched(order), order), Ok(None));
        let mut bytes = patched(order);
        assert_eq!(Record::decode(&bytes, order), Ok(Some(RECORD)));
        let once = bytes;
        RECORD.encode(&mut bytes, order).unwrap();
        assert_eq!(bytes, once);
        // Fewer units leave nothing of the others behind.
        Record { nr_units: 1, ..RECORD }.encode(&mut bytes, order).unwrap();
        assert_eq!(bytes[OFFSETS..], [0; SIZE - OFFSETS]);
    }
    assert!(Record::decode(&patched(ByteOrder::Big), ByteOrder::Little).is_err());
}

#[test]
fn the_place_of_each_field_is_fixed() {
    let bytes = patched(ByteOrder::Little);
    assert_eq!(bytes[..24], *b"PERCPU\r\n\x01\0\0\0\0\x01\0\0\x01\0\0\0\0\0\0\0");
    assert_eq!(bytes[32..40], 72_u64.to_le_bytes());
    assert_eq!(bytes[56..64], 4096_u64.to_le_bytes());
    assert_eq!(bytes[72..80], 5_u64.to_le_bytes());
    assert_eq!(bytes[80 + 4 * 8..][..8], (4_u64 << 34).to_le_bytes());
    assert_eq!(bytes[24..32], fnv1a(&bytes[32..]).to_le_bytes());
    // The published values of FNV-1a.
    assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
}

#[test]
fn no_change_of_a_byte_is_believed() {
    for bytes in [patched(ByteOrder::NATIVE), unpatched(ByteOrder::NATIVE)] {
        // Miri, slower by far, gets a sample.
        for at in (0..SIZE).step_by(if cfg!(miri) { 41 } else { 1 }) {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = bytes;
                changed[at] ^= change;
                assert!(Record::decode(&changed, ByteOrder::NATIVE).is_err(), "byte {at} by {change:#x}");
            }
        }
    }
}

#[test]
fn what_is_no_record_is_neither_read_nor_written() {
    let order = ByteOrder::Little;
    let whole = patched(order);
    for length in [0, 7, 8, 12, 16, 80, SIZE - 1] {
        let mut cut = whole;
        assert!(Record::decode(&cut[..length], order).is_err());
        assert!(RECORD.encode(&mut cut[..length], order).is_err());
        assert_eq!(cut, whole);
    }
    let mut newer = whole;
    newer[8] = 2;
    assert_eq!(Record::decode(&newer, order), Err(RecordError::Version(2)));
    assert_eq!(RECORD.encode(&mut newer, order), Err(RecordError::Version(2)));
    let mut full = unpatched(order);
    let many = Record { nr_units: 257, ..RECORD };
    assert_eq!(many.encode(&mut full, order), Err(RecordError::TooManyUnits { nr_units: 257, capacity: 256 }));
    let huge = Record { unit_size: 1 << 63, ..RECORD };
    assert_eq!(huge.encode(&mut full, order), Err(RecordError::Contradiction));
    for wrong in [
        Record { static_size: u64::MAX, ..RECORD },
        Record { unit_size: 36_864, ..RECORD },
        Record { align: 0, ..RECORD },
        Record { nr_units: 0, ..RECORD },
        Record { align: 1 << 35, ..RECORD },
    ] {
        assert_eq!(wrong.encode(&mut unpatched(order), order), Err(RecordError::Contradiction), "{wrong:?}");
    }
}
