//! Why something is not allocated or not freed.

use core::fmt;

/// Why there is no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllocError {
    /// Nothing was asked for.
    ZeroSize,
    /// More was asked for than any unit can hold.
    TooLarge {
        /// Bytes asked for.
        size: usize,
        /// The largest that can ever be had.
        max: usize,
    },
    /// The alignment is no power of two, or more than a page.
    BadAlign {
        /// Bytes asked for.
        align: usize,
        /// The page size.
        max: usize,
    },
    /// No place of this size and alignment is free.
    Exhausted {
        /// Bytes asked for.
        size: usize,
        /// The alignment asked for.
        align: usize,
    },
    /// There is no populated place, and populating pages is not allowed in an atomic context. That is all an atomic request is ever
    /// told of a lack of room: another may bring it, and a chunk as large as is asked for.
    AtomicExhausted {
        /// Bytes asked for.
        size: usize,
        /// The alignment asked for.
        align: usize,
    },
    /// The platform has no pages for the units, or for the allocator's records.
    NoMemory {
        /// Bytes asked for.
        size: usize,
        /// Number of units, each of which would have needed pages.
        units: usize,
    },
    /// A signal handler asks, and has interrupted the allocator on this thread: what it was about to finish goes on only when
    /// the handler returns. Or an [atomic](super::AllocFlags::ATOMIC) allocation comes while another thread forks, which may wait for whoever
    /// a handler has interrupted, or finds another thread in a search for longer than it may wait.
    Busy,
    /// There are no units yet.
    NotSetUp,
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ZeroSize => f.write_str("a per-CPU allocation of 0 bytes"),
            Self::TooLarge { size, max } => write!(f, "a per-CPU allocation of {size} bytes, where a unit has {max}"),
            Self::BadAlign { align, max } => {
                write!(f, "a per-CPU alignment of {align} bytes, which is no power of two or more than a page ({max})")
            }
            Self::Exhausted { size, align } => {
                write!(f, "no place in the units for {size} bytes aligned to {align}")
            }
            Self::AtomicExhausted { size, align } => {
                write!(f, "no populated place in the units for {size} bytes aligned to {align}")
            }
            Self::NoMemory { size, units } => {
                write!(f, "no memory for {size} bytes in each of {units} units")
            }
            Self::Busy => f.write_str(
                "the per-CPU allocator is busy, with what a signal handler has interrupted or for another thread",
            ),
            Self::NotSetUp => f.write_str("per-CPU memory is not set up yet"),
        }
    }
}

impl core::error::Error for AllocError {}

/// What is wrong with a free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FreeError {
    /// The offset is in no range of the allocator.
    Foreign {
        /// Bytes from a unit's begin, where that has a meaning.
        offset: usize,
    },
    /// Nothing is allocated there: it was freed before, or never allocated.
    NotAllocated {
        /// Bytes from a unit's begin.
        offset: usize,
    },
    /// An allocation of another size is there.
    WrongSize {
        /// Bytes from a unit's begin.
        offset: usize,
        /// The size that it was freed with, rounded up.
        size: usize,
        /// The size that it has.
        actual: usize,
    },
    /// The offset lies within an allocation that began before it.
    Interior {
        /// Bytes from a unit's begin.
        offset: usize,
    },
    /// A signal handler asks, and has interrupted the allocator on this thread, or another thread forks; and the object lies 16 GiB
    /// or more from the unit's begin, or it would be freed later.
    Busy {
        /// Bytes from a unit's begin.
        offset: usize,
    },
    /// What the checked mode says, in place of all of these but [`Busy`](Self::Busy), and of more.
    #[cfg(feature = "checked")]
    Checked(super::checked::CheckError),
}

impl fmt::Display for FreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Foreign { offset } => write!(f, "free of offset {offset:#x}, which is not the allocator's"),
            Self::NotAllocated { offset } => {
                write!(f, "free of offset {offset:#x}, where nothing is allocated: freed twice?")
            }
            Self::WrongSize { offset, size, actual } => {
                write!(f, "free of offset {offset:#x} with {size} bytes, where {actual} are allocated")
            }
            #[cfg(feature = "checked")]
            Self::Checked(error) => error.fmt(f),
            Self::Busy { offset } => {
                write!(f, "free of offset {offset:#x} where a signal handler has interrupted the per-CPU allocator")
            }
            Self::Interior { offset } => write!(f, "free of offset {offset:#x}, which is inside an allocation"),
        }
    }
}

impl core::error::Error for FreeError {}
