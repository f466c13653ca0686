//! What is known of an allocation.

use core::fmt;
use core::ops::Range;
use core::panic::Location;

use super::redzone;

/// A place in the source.
pub type Site = &'static Location<'static>;

/// A live object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// Bytes from a unit's begin.
    pub offset: usize,
    /// Bytes asked for.
    pub size: usize,
    /// The how-manieth allocation it was: in a program that does the same each time, the same each time.
    pub number: u64,
    /// Who allocated it.
    pub allocated_at: Site,
}

impl Object {
    /// The offsets that nobody else has: its own, and those behind it that are watched.
    #[must_use]
    pub const fn place(&self) -> Range<usize> {
        self.offset..self.offset + redzone::place(self.size)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, size, number, allocated_at } = self;
        write!(f, "{size} bytes at offset {offset:#x}, allocation {number} at {allocated_at}")
    }
}

/// An object that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Past {
    /// What it was.
    pub object: Object,
    /// Who freed it.
    pub freed_at: Site,
}

impl fmt::Display for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, freed at {}", self.object, self.freed_at)
    }
}
