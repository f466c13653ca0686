//! Why a record is not believed, or cannot be written.

use core::fmt;

use super::VERSION;

/// Why bytes are no record, or none that can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// They do not start with [`MAGIC`](super::MAGIC), or end before the fields do.
    NotARecord,
    /// They are of another version.
    Version(u32),
    /// They are more or fewer than the stated capacity takes.
    Capacity {
        /// The capacity as stated.
        capacity: u32,
        /// The bytes that there are.
        bytes: usize,
    },
    /// The fields contradict each other or the checksum.
    Corrupt,
    /// There is no room for the offsets of this many units.
    TooManyUnits {
        /// The units.
        nr_units: u64,
        /// The room.
        capacity: u32,
    },
    /// The values to be written contradict each other, or their sums exceed 64 bits.
    Contradiction,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotARecord => f.write_str("no layout record"),
            Self::Version(found) => write!(f, "a layout record of version {found}, not {VERSION}"),
            Self::Capacity { capacity, bytes } => {
                write!(f, "a layout record with room for {capacity} units cannot have {bytes} bytes")
            }
            Self::Corrupt => f.write_str("a corrupt layout record"),
            Self::TooManyUnits { nr_units, capacity } => {
                write!(f, "{nr_units} units, where the layout record has room for {capacity}")
            }
            Self::Contradiction => f.write_str("a layout that contradicts itself"),
        }
    }
}

impl core::error::Error for RecordError {}
