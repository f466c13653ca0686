//! What an allocation is known by.

use core::fmt;
use core::num::NonZeroU64;

/// Bits of a tag that say which record; the rest is the allocation's number.
const RECORD_BITS: u32 = 24;

/// Tells an allocation from all others that had its place, or will have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(NonZeroU64);

impl Tag {
    /// Number of records that there are tags for.
    pub(super) const RECORDS: usize = 1 << RECORD_BITS;

    /// The number behind `number`. After 2⁴⁰ they begin again: a tag is mistaken for another if its record was not used in
    /// between but for that.
    pub(super) const fn next(number: u64) -> u64 {
        let next = number + 1;
        if next < 1 << (u64::BITS - RECORD_BITS) { next } else { 1 }
    }

    /// That of allocation `number`, 1 or more, whose record is `record`.
    pub(super) fn new(number: u64, record: u32) -> Self {
        let bits = number << RECORD_BITS | u64::from(record);
        Self(NonZeroU64::new(bits).expect("numbers begin at 1"))
    }

    /// The allocation's number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0.get() >> RECORD_BITS
    }

    pub(super) const fn record(self) -> u32 {
        (self.0.get() & ((1 << RECORD_BITS) - 1)) as u32
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({}, record {})", self.number(), self.record())
    }
}

/// What an object is freed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// Bytes from a unit's begin.
    pub offset: usize,
    /// Which allocation is meant; `None` where that got lost, as in a pointer made from a number. What is found at the
    /// offset is taken for it then: a stale free is not known from the owner's, and the search for the object takes longer with
    /// every live one.
    pub tag: Option<Tag>,
}
