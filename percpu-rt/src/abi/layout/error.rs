//! Why a first chunk cannot be laid out.

use core::fmt;

/// A request that has no layout, with the values at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// The page size is not a power of two.
    PageSize(u64),
    /// The atom size is zero or not a multiple of the page size.
    AtomSize {
        /// The atom size asked for.
        atom_size: u64,
        /// The page size that it has to be a multiple of.
        page_size: u64,
    },
    /// There is no possible CPU.
    NoCpus,
    /// The two output slices do not have the same length, one entry a CPU.
    Outputs {
        /// The number of entries for groups.
        groups: usize,
        /// The number of entries for unit offsets.
        unit_offsets: usize,
    },
    /// The three areas of a unit, rounded up to pages, do not fit into 64 bits.
    UnitOverflow {
        /// The size of the template.
        static_size: u64,
        /// The size of the reserved area.
        reserved_size: u64,
        /// The size of the dynamic area asked for.
        dyn_size: u64,
    },
    /// A unit, rounded up to atoms, does not fit into 64 bits.
    AllocOverflow {
        /// The smallest possible unit.
        min_unit_size: u64,
        /// The granule that it is rounded up to.
        atom_size: u64,
    },
    /// The units of all CPUs together do not fit into 64 bits.
    ChunkOverflow {
        /// The number of units, holes included.
        nr_units: u64,
        /// The size of each.
        unit_size: u64,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PageSize(size) => write!(f, "page size {size} is not a power of two"),
            Self::AtomSize { atom_size, page_size } => {
                write!(f, "atom size {atom_size} is not a nonzero multiple of the page size {page_size}")
            }
            Self::NoCpus => write!(f, "a first chunk needs at least one possible cpu"),
            Self::Outputs { groups, unit_offsets } => {
                write!(f, "{groups} group entries do not match {unit_offsets} unit offsets")
            }
            Self::UnitOverflow { static_size, reserved_size, dyn_size } => write!(
                f,
                "a unit of {static_size} static, {reserved_size} reserved and {dyn_size} dynamic bytes exceeds 64 bits"
            ),
            Self::AllocOverflow { min_unit_size, atom_size } => {
                write!(f, "a unit of {min_unit_size} bytes rounded up to atoms of {atom_size} exceeds 64 bits")
            }
            Self::ChunkOverflow { nr_units, unit_size } => {
                write!(f, "{nr_units} units of {unit_size} bytes exceed 64 bits")
            }
        }
    }
}

impl core::error::Error for LayoutError {}
