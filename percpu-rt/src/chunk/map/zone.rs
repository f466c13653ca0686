//! Zones: small objects are kept apart from larger ones.
//!
//! Small objects tend to live long and to be many. Among larger ones, each would keep a page from being given back
//! that is otherwise free. More zones would do the same to each other: a page a size class costs, on recorded
//! traces, twice the memory that is live.

/// Number of zones.
pub(super) const ZONES: usize = 2;

/// The largest small object in granules.
const LARGEST_SMALL: u32 = 16;

/// Which blocks an object shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Zone {
    Small,
    Large,
}

impl Zone {
    pub(super) const ALL: [Self; ZONES] = [Self::Small, Self::Large];

    /// That of an object of `granules`.
    #[inline]
    pub(super) fn of(granules: u32) -> Self {
        if granules <= LARGEST_SMALL { Self::Small } else { Self::Large }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Small => Self::Large,
            Self::Large => Self::Small,
        }
    }
}
