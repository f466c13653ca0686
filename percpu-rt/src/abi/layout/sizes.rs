//! What one unit holds, and how large it has to be.

use super::LayoutError;
use super::defaults::{
    DEFAULT_ATOM_SIZE, DEFAULT_DYN_SIZE, DEFAULT_PAGE_SIZE, DEFAULT_RESERVED_SIZE, EARLY_DYN_SIZE, MIN_UNIT_SIZE,
};

/// What a first chunk has to hold, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The template: `__per_cpu_end - __per_cpu_start`.
    pub static_size: u64,
    /// The area kept for loadable modules.
    pub reserved_size: u64,
    /// The dynamic area asked for; it grows to [`EARLY_DYN_SIZE`], and by the slack of the unit's last page.
    pub dyn_size: u64,
    /// The granule in which memory is allocated: a page, or a huge page. Any multiple of the page size.
    pub atom_size: u64,
    /// The page size: a power of two.
    pub page_size: u64,
}

/// The areas of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The template.
    pub static_size: u64,
    /// The area kept for loadable modules.
    pub reserved_size: u64,
    /// The dynamic area as it comes out.
    pub dyn_size: u64,
    /// The smallest unit that holds the three and that Linux accepts. Units grow beyond it where that costs no
    /// memory, see [`Request::arrange`].
    pub min_unit_size: u64,
}

impl Request {
    /// The request of an x86-64 kernel with a template of `static_size` bytes.
    #[must_use]
    pub const fn new(static_size: u64) -> Self {
        Self {
            static_size,
            reserved_size: DEFAULT_RESERVED_SIZE,
            dyn_size: DEFAULT_DYN_SIZE,
            atom_size: DEFAULT_ATOM_SIZE,
            page_size: DEFAULT_PAGE_SIZE,
        }
    }

    /// The areas of one unit.
    ///
    /// # Errors
    ///
    /// The page size is not a power of two, the atom size not a nonzero multiple of it, or the sum of the areas
    /// does not fit into 64 bits.
    pub const fn sizes(&self) -> Result<Sizes, LayoutError> {
        let Self { static_size, reserved_size, dyn_size, atom_size, page_size } = *self;
        if !page_size.is_power_of_two() {
            return Err(LayoutError::PageSize(page_size));
        }
        if atom_size == 0 || !atom_size.is_multiple_of(page_size) {
            return Err(LayoutError::AtomSize { atom_size, page_size });
        }
        let overflow = LayoutError::UnitOverflow { static_size, reserved_size, dyn_size };
        let Some(fixed) = static_size.checked_add(reserved_size) else {
            return Err(overflow);
        };
        let Some(sum) = fixed.checked_add(max(dyn_size, EARLY_DYN_SIZE)) else {
            return Err(overflow);
        };
        let (Some(sum), Some(least)) =
            (sum.checked_next_multiple_of(page_size), MIN_UNIT_SIZE.checked_next_multiple_of(page_size))
        else {
            return Err(overflow);
        };
        Ok(Sizes { static_size, reserved_size, dyn_size: sum - fixed, min_unit_size: max(sum, least) })
    }
}

/// `Ord::max` is no `const fn`.
const fn max(a: u64, b: u64) -> u64 {
    if a > b { a } else { b }
}
