//! What a checked allocator finds.

use core::fmt;

use super::object::{Object, Past, Site};

/// A mistake of those who use an allocator's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckError {
    /// A free of an offset that is in no range of the allocator.
    Foreign {
        /// What was to be freed.
        offset: usize,
        /// Who would.
        freed_at: Site,
    },
    /// A free of what is inside an object, or among the bytes right behind it.
    Interior {
        /// What was to be freed.
        offset: usize,
        /// What is there.
        object: Object,
        /// Who would.
        freed_at: Site,
    },
    /// A free by the ticket of a live object, with an offset that is outside of it.
    Astray {
        /// What was to be freed.
        offset: usize,
        /// What the ticket is for.
        object: Object,
        /// Who would.
        freed_at: Site,
    },
    /// A free of what was freed before, or never allocated.
    DoubleFree {
        /// What was to be freed.
        offset: usize,
        /// What was there, where that is still known.
        past: Option<Past>,
        /// Who would free it again.
        freed_at: Site,
    },
    /// A free of what was freed before, where another object is now.
    StaleFree {
        /// What was to be freed.
        offset: usize,
        /// What was there, where that is still known.
        past: Option<Past>,
        /// What is there now.
        present: Object,
        /// Who would free it.
        freed_at: Site,
    },
    /// Bytes behind an object were written to. It stays allocated.
    Overrun {
        /// Whose end was not kept to, most likely.
        object: Object,
        /// In which unit: the CPU's number.
        unit: usize,
        /// The first such byte, from the object's begin.
        at: usize,
        /// Who would free it; `None` where it was looked for.
        freed_at: Option<Site>,
    },
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Foreign { offset, freed_at } => {
                write!(f, "free of offset {offset:#x} at {freed_at}, which is not the allocator's")
            }
            Self::Interior { offset, object, freed_at } => {
                write!(f, "free of offset {offset:#x} at {freed_at}, which is inside an allocation: {object}")
            }
            Self::Astray { offset, object, freed_at } => {
                write!(f, "free of offset {offset:#x} at {freed_at}, by a pointer to something else: {object}")
            }
            Self::DoubleFree { offset, past: Some(past), freed_at } => {
                write!(f, "free of offset {offset:#x} at {freed_at}, which was freed before: {past}")
            }
            Self::DoubleFree { offset, past: None, freed_at } => {
                write!(f, "free of offset {offset:#x} at {freed_at}, where nothing is allocated: freed twice?")
            }
            Self::StaleFree { offset, past, present, freed_at } => {
                write!(f, "free of offset {offset:#x} at {freed_at}, which was freed before")?;
                if let Some(past) = past {
                    write!(f, ": {past}")?;
                }
                write!(f, "; its place now has {present}")
            }
            Self::Overrun { object, unit, at, freed_at } => {
                write!(f, "byte {at} of an allocation was written to on CPU {unit}, past its end: {object}")?;
                match freed_at {
                    Some(freed_at) => write!(f, "; found by its free at {freed_at}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl core::error::Error for CheckError {}
