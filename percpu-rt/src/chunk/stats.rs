//! What an allocator tells of itself.

/// The counts of an allocator, in the words of Linux's `percpu_stats` (mm/percpu-stats.c), and what its records take.
///
/// Bytes are those of one unit, but for `metadata_bytes`, which is the whole allocator's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PerCpuStats {
    /// Allocations ever made.
    pub nr_alloc: u64,
    /// Of those, freed ones.
    pub nr_dealloc: u64,
    /// Live allocations.
    pub nr_cur_alloc: u64,
    /// The most that were live at once.
    pub nr_max_alloc: u64,
    /// Chunks with anything allocated or populated in them.
    pub nr_chunks: u64,
    /// The most there were at once.
    pub nr_max_chunks: u64,
    /// The smallest allocation ever made, rounded up to [`GRANULE`](super::GRANULE); 0 before the first.
    pub min_alloc_size: usize,
    /// The largest.
    pub max_alloc_size: usize,
    /// Bytes of live allocations, each rounded up.
    pub live_bytes: usize,
    /// Bytes of populated pages.
    pub populated_bytes: usize,
    /// Populated pages of one unit with nothing in them that may be given back, those that came along for the next objects
    /// included. Linux: `pcpu_nr_empty_pop_pages` (mm/percpu.c), in which pages that are populated for good are, too.
    pub empty_pop_pages: u64,
    /// Bytes of the allocator's records.
    pub metadata_bytes: usize,
    /// The most there were at once.
    pub max_metadata_bytes: usize,
    /// How often runs of pages were populated.
    pub nr_populate: u64,
    /// How often runs of pages were given back.
    pub nr_depopulate: u64,
}

impl PerCpuStats {
    /// As a constant.
    pub(super) const ZERO: Self = Self {
        nr_alloc: 0,
        nr_dealloc: 0,
        nr_cur_alloc: 0,
        nr_max_alloc: 0,
        nr_chunks: 0,
        nr_max_chunks: 0,
        min_alloc_size: 0,
        max_alloc_size: 0,
        live_bytes: 0,
        populated_bytes: 0,
        empty_pop_pages: 0,
        metadata_bytes: 0,
        max_metadata_bytes: 0,
        nr_populate: 0,
        nr_depopulate: 0,
    };

    /// The counts of two allocators together; of maxima that come at different times, no more than the sum is known.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let min_alloc_size = match (self.min_alloc_size, other.min_alloc_size) {
            (0, size) | (size, 0) => size,
            (one, another) => one.min(another),
        };
        Self {
            nr_alloc: self.nr_alloc + other.nr_alloc,
            nr_dealloc: self.nr_dealloc + other.nr_dealloc,
            nr_cur_alloc: self.nr_cur_alloc + other.nr_cur_alloc,
            nr_max_alloc: self.nr_max_alloc + other.nr_max_alloc,
            nr_chunks: self.nr_chunks + other.nr_chunks,
            nr_max_chunks: self.nr_max_chunks + other.nr_max_chunks,
            min_alloc_size,
            max_alloc_size: self.max_alloc_size.max(other.max_alloc_size),
            live_bytes: self.live_bytes + other.live_bytes,
            populated_bytes: self.populated_bytes + other.populated_bytes,
            empty_pop_pages: self.empty_pop_pages + other.empty_pop_pages,
            metadata_bytes: self.metadata_bytes + other.metadata_bytes,
            max_metadata_bytes: self.max_metadata_bytes + other.max_metadata_bytes,
            nr_populate: self.nr_populate + other.nr_populate,
            nr_depopulate: self.nr_depopulate + other.nr_depopulate,
        }
    }

    /// Counts `count` allocations of `bytes` each.
    #[inline]
    pub(super) fn allocated(&mut self, bytes: usize, count: usize) {
        if count == 0 {
            return;
        }
        self.nr_alloc += count as u64;
        self.nr_cur_alloc += count as u64;
        self.nr_max_alloc = self.nr_max_alloc.max(self.nr_cur_alloc);
        self.min_alloc_size = if self.min_alloc_size == 0 { bytes } else { self.min_alloc_size.min(bytes) };
        self.max_alloc_size = self.max_alloc_size.max(bytes);
        self.live_bytes += bytes * count;
    }

    /// Counts `count` frees of `bytes` each.
    #[inline]
    pub(super) fn freed(&mut self, bytes: usize, count: usize) {
        self.nr_dealloc += count as u64;
        self.nr_cur_alloc -= count as u64;
        self.live_bytes -= bytes * count;
    }
}
