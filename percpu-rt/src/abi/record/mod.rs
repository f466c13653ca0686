//! The layout record: what the post-link step writes into an image, and what the runtime believes of it.
//!
//! A section of its own, read-only and loaded, so that it survives `strip`. The runtime defines it, so it exists in
//! exactly those images that link the runtime. Every field is in the image's own byte order:
//!
//! ```text
//!   0  magic         8   MAGIC
//!   8  version       4   VERSION
//!  12  capacity      4   unit offsets that there is room for
//!  16  state         4   0: not patched, and all that follows is zero; 1: patched
//!  20  zero          4
//!  24  checksum      8   FNV-1a of what follows
//!  32  static size   8  ┐
//!  40  reserved size 8  │ the areas of a unit
//!  48  dynamic size  8  ┘
//!  56  align         8   of the segment that holds the template
//!  64  unit size     8
//!  72  units         8   one a CPU, and the orphan
//!  80  unit offsets  8 each, as many as the capacity; zero behind the last unit
//! ```
//!
//! Nothing depends on the record: without it, or where it does not match, units are laid out at start-up.

mod error;
mod order;

use core::ops::Range;

pub use error::RecordError;
pub use order::ByteOrder;

/// The section's name, as a literal where one is needed.
macro_rules! record_section {
    () => {
        ".percpu_layout"
    };
}
#[cfg(has_backend)]
pub(crate) use record_section;

/// The section of the record.
pub const SECTION: &str = record_section!();

/// What a record starts with.
pub const MAGIC: [u8; 8] = *b"PERCPU\r\n";

/// The version of the fields behind it.
pub const VERSION: u32 = 1;

/// Unit offsets that the runtime's own record has room for.
pub const CAPACITY: u32 = 256;

/// Bytes of the runtime's own record.
pub const SIZE: usize = size(CAPACITY);

const STATE: usize = 16;
const CHECKSUM: usize = 24;
const FIELDS: usize = 32;
const OFFSETS: usize = 80;

/// Bytes of a record with room for `capacity` unit offsets.
#[must_use]
pub const fn size(capacity: u32) -> usize {
    (capacity as usize).saturating_mul(8).saturating_add(OFFSETS)
}

/// What a patched record states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Bytes of the template.
    pub static_size: u64,
    /// Bytes of a unit kept for loadable modules.
    pub reserved_size: u64,
    /// Bytes of a unit for dynamic allocation, before chunks are added.
    pub dyn_size: u64,
    /// The alignment of the segment that holds the template.
    pub align: u64,
    /// From one unit to the next.
    pub unit_size: u64,
    /// Units: one a CPU, and the orphan.
    pub nr_units: u64,
}

/// A record before the post-link step, as the runtime defines it.
#[must_use]
pub const fn unpatched(order: ByteOrder) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let (magic, rest) = bytes.split_at_mut(8);
    magic.copy_from_slice(&MAGIC);
    let (version, rest) = rest.split_at_mut(4);
    version.copy_from_slice(&order.u32(VERSION));
    rest.split_at_mut(4).0.copy_from_slice(&order.u32(CAPACITY));
    bytes
}

/// The capacity of the record in `bytes`, patched or not, corrupt behind its head or not.
///
/// # Errors
///
/// It is no record, of another version, or of another size than its capacity says.
pub fn capacity(bytes: &[u8], order: ByteOrder) -> Result<u32, RecordError> {
    if bytes.first_chunk() != Some(&MAGIC) {
        return Err(RecordError::NotARecord);
    }
    let field = |at| order.u32_at(bytes, at).ok_or(RecordError::NotARecord);
    let (version, capacity) = (field(8)?, field(12)?);
    if version != VERSION {
        return Err(RecordError::Version(version));
    }
    if bytes.len() != size(capacity) {
        return Err(RecordError::Capacity { capacity, bytes: bytes.len() });
    }
    Ok(capacity)
}

impl Record {
    /// The record in `bytes`; `None` if the post-link step has not been run.
    ///
    /// # Errors
    ///
    /// It is none, of another version, or states what no post-link step does.
    pub fn decode(bytes: &[u8], order: ByteOrder) -> Result<Option<Self>, RecordError> {
        let capacity = capacity(bytes, order)?;
        let field = |at| order.u64_at(bytes, at).ok_or(RecordError::NotARecord);
        match bytes[STATE..CHECKSUM].first_chunk() {
            Some(head) if *head == [0; 8] => {
                let is_empty = bytes[CHECKSUM..].iter().all(|byte| *byte == 0);
                return if is_empty { Ok(None) } else { Err(RecordError::Corrupt) };
            }
            Some(head) if *head == patched(order) => {}
            _ => return Err(RecordError::Corrupt),
        }
        if field(CHECKSUM)? != fnv1a(&bytes[FIELDS..]) {
            return Err(RecordError::Corrupt);
        }
        let record = Self {
            static_size: field(FIELDS)?,
            reserved_size: field(FIELDS + 8)?,
            dyn_size: field(FIELDS + 16)?,
            align: field(FIELDS + 24)?,
            unit_size: field(FIELDS + 32)?,
            nr_units: field(FIELDS + 40)?,
        };
        if !record.is_consistent() || record.nr_units > u64::from(capacity) {
            return Err(RecordError::Corrupt);
        }
        for index in 0..capacity {
            if field(place(index).start)? != record.offset(index) {
                return Err(RecordError::Corrupt);
            }
        }
        Ok(Some(record))
    }

    /// Writes the record over the one in `bytes`.
    ///
    /// # Errors
    ///
    /// There is none, it is of another version, the units do not fit into it, or they contradict each other. Nothing is
    /// written then.
    pub fn encode(&self, bytes: &mut [u8], order: ByteOrder) -> Result<(), RecordError> {
        let capacity = capacity(bytes, order)?;
        if self.nr_units > u64::from(capacity) {
            return Err(RecordError::TooManyUnits { nr_units: self.nr_units, capacity });
        }
        if !self.is_consistent() {
            return Err(RecordError::Contradiction);
        }
        let fields = [self.static_size, self.reserved_size, self.dyn_size, self.align, self.unit_size, self.nr_units];
        for (place, value) in bytes[FIELDS..OFFSETS].chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&order.u64(value));
        }
        for index in 0..capacity {
            bytes[place(index)].copy_from_slice(&order.u64(self.offset(index)));
        }
        bytes[STATE..CHECKSUM].copy_from_slice(&patched(order));
        let checksum = fnv1a(&bytes[FIELDS..]);
        bytes[CHECKSUM..FIELDS].copy_from_slice(&order.u64(checksum));
        Ok(())
    }

    /// Where unit `index` of a consistent record starts; zero behind the last one.
    fn offset(&self, index: u32) -> u64 {
        if u64::from(index) < self.nr_units { self.unit_size * u64::from(index) } else { 0 }
    }

    /// Whether there are units, each holds its areas at its alignment, and all of them fit into 64 bits.
    fn is_consistent(&self) -> bool {
        let areas = self.static_size.checked_add(self.reserved_size).and_then(|sum| sum.checked_add(self.dyn_size));
        areas.is_some_and(|areas| areas <= self.unit_size)
            && self.align.is_power_of_two()
            && self.unit_size.is_multiple_of(self.align)
            && self.nr_units > 0
            && self.unit_size.checked_mul(self.nr_units).is_some()
    }
}

/// The state of a patched record, and the zero behind it.
fn patched(order: ByteOrder) -> [u8; 8] {
    let [a, b, c, d] = order.u32(1);
    [a, b, c, d, 0, 0, 0, 0]
}

/// Where the offset of unit `index` stands.
fn place(index: u32) -> Range<usize> {
    let start = size(index);
    start..start + 8
}

/// FNV-1a of 64 bits: each step is a bijection, so no change of a single byte goes unnoticed.
fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests;
