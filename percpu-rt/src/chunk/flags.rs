//! How an allocation may be made.

use core::fmt;
use core::ops::BitOr;

/// How an allocation may be made. Linux: `gfp_t`.
///
/// ```
/// use percpu_rt::chunk::AllocFlags;
///
/// assert!(AllocFlags::NONE.is_empty());
/// assert!((AllocFlags::ATOMIC | AllocFlags::RESERVED).contains(AllocFlags::ATOMIC));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct AllocFlags(u8);

impl AllocFlags {
    /// May populate pages, and so may sleep. Linux: `GFP_KERNEL`.
    pub const NONE: Self = Self(0);

    /// Takes what is populated: asks the platform for no pages, and does not wait for what may wait for a handler's thread. An
    /// allocation that is refused looks at what has grown since the last refusal, as [`Allocator::alloc`](super::Allocator::alloc) says.
    /// Linux: `GFP_NOWAIT`, `GFP_ATOMIC`.
    pub const ATOMIC: Self = Self(1);

    /// From the reserved area while there is room in it, else from anywhere: for the static variables of modules. Linux:
    /// `__alloc_reserved_percpu`, which fails instead.
    pub const RESERVED: Self = Self(2);

    /// Whether no flag is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all flags of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for AllocFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for AllocFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_set();
        for (flag, name) in [(Self::ATOMIC, "ATOMIC"), (Self::RESERVED, "RESERVED")] {
            if self.contains(flag) {
                set.entry(&format_args!("{name}"));
            }
        }
        set.finish()
    }
}
