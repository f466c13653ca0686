//! What is wrong with a set-up: where Linux stops with a `BUG`, the numbers.

use core::fmt;

use crate::abi::layout::LayoutError;

/// Why there are no units. Nothing has been written, and no memory is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupError {
    /// Set-up has been called before.
    AlreadySetUp,
    /// No CPU is possible.
    NoCpus,
    /// A CPU's number has no place in the table of offsets.
    CpuOutOfRange {
        /// The number.
        cpu: usize,
        /// Numbers are less.
        limit: usize,
    },
    /// A CPU is there twice.
    DuplicateCpu {
        /// Its number.
        cpu: usize,
    },
    /// The template does not begin where its alignment asks: the script moved it behind the fragment.
    MisalignedTemplate {
        /// Its first byte.
        start: usize,
        /// What that is no multiple of.
        align: usize,
    },
    /// The sizes have no layout.
    Layout(LayoutError),
    /// There is no memory for the units of a group.
    NoMemory {
        /// The node asked for.
        node: u32,
        /// Bytes asked for.
        bytes: usize,
    },
    /// There is no address space for the units.
    NoAddressSpace {
        /// Bytes asked for.
        bytes: usize,
    },
    /// A page of a unit cannot be populated.
    PageRefused {
        /// The CPU.
        cpu: usize,
        /// The page's first byte, counted from the unit's.
        offset: usize,
    },
    /// Memory that was given for units is not aligned as it was asked for.
    MisalignedMemory {
        /// Its first byte.
        start: usize,
        /// What that is no multiple of.
        align: usize,
    },
    /// Memory that was given for units is so far from the template that an offset is no canonical address, which `gs` could not have.
    NotCanonical {
        /// Its first byte.
        start: usize,
        /// The offset of its first or last byte from the template.
        offset: usize,
    },
    /// Memory that was given for units lies over the template, or over other units.
    Overlap {
        /// Its first byte.
        start: usize,
        /// Its bytes.
        bytes: usize,
    },
    /// The layout record was made for another image, or is damaged: patch this one.
    ForeignRecord,
    /// The linker script has reserved no units: it has no `INCLUDE percpu-units.ld`.
    NoStaticUnits,
    /// The linker script has reserved, or `percpu-link patch --cpus` has stated, fewer units than the largest CPU number needs.
    TooFewUnits {
        /// Units that there are.
        units: usize,
        /// Units that are needed.
        needed: usize,
    },
    /// The units that the linker script has reserved are smaller than what they are to hold.
    SmallUnits {
        /// Bytes of each.
        unit_size: usize,
        /// Bytes that each needs.
        needed: usize,
    },
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AlreadySetUp => f.write_str("per-CPU memory is set up already"),
            Self::NoCpus => f.write_str("no possible CPU was given"),
            Self::CpuOutOfRange { cpu, limit } => write!(f, "CPU {cpu} is not less than {limit}"),
            Self::DuplicateCpu { cpu } => write!(f, "CPU {cpu} was given twice"),
            Self::MisalignedTemplate { start, align } => {
                write!(f, "the per-CPU template begins at {start:#x}, which is no multiple of {align:#x}")
            }
            Self::Layout(error) => error.fmt(f),
            Self::NoMemory { node, bytes } => write!(f, "node {node} has no {bytes} bytes for per-CPU units"),
            Self::NoAddressSpace { bytes } => write!(f, "no {bytes} bytes of address space for per-CPU units"),
            Self::PageRefused { cpu, offset } => write!(f, "no page for offset {offset:#x} of the unit of CPU {cpu}"),
            Self::MisalignedMemory { start, align } => {
                write!(f, "memory for per-CPU units begins at {start:#x}, which is no multiple of {align:#x}")
            }
            Self::NotCanonical { start, offset } => {
                write!(
                    f,
                    "memory for per-CPU units begins at {start:#x}: the offset {offset:#x} is no canonical address"
                )
            }
            Self::Overlap { start, bytes } => {
                write!(f, "memory for per-CPU units, {bytes} bytes at {start:#x}, is in use already")
            }
            Self::ForeignRecord => f.write_str("the layout record is not this image's: run `percpu-link patch` again"),
            Self::NoStaticUnits => f.write_str("the linker script reserves no units: INCLUDE percpu-units.ld in it"),
            Self::TooFewUnits { units, needed } => {
                write!(f, "there are {units} static units, and {needed} are needed")
            }
            Self::SmallUnits { unit_size, needed } => {
                write!(f, "the linker script reserves units of {unit_size} bytes, and {needed} are needed")
            }
        }
    }
}

impl core::error::Error for SetupError {}

impl From<LayoutError> for SetupError {
    fn from(error: LayoutError) -> Self {
        Self::Layout(error)
    }
}
