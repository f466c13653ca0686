//! How many units share an allocation, and where each CPU's unit lies.

use super::{LayoutError, Request, Sizes};

/// The distance between two CPUs of one node (`LOCAL_DISTANCE`, include/linux/topology.h; the number is ACPI's).
pub const LOCAL_DISTANCE: u32 = 10;

/// A first chunk: the units of all possible CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstChunk {
    /// What one unit holds.
    pub sizes: Sizes,
    /// From one unit to the next; at least [`Sizes::min_unit_size`].
    pub unit_size: u64,
    /// The size of one allocation: [`Sizes::min_unit_size`] rounded up to atoms.
    pub alloc_size: u64,
    /// Units per allocation.
    pub upa: u64,
    /// The number of groups.
    pub nr_groups: usize,
    /// The number of units, with the holes at the ends of groups.
    pub nr_units: u64,
}

impl Request {
    /// Arranges the units of `groups.len()` CPUs.
    ///
    /// `distance` is the distance between the nodes of two CPUs, each given by its index among the possible ones.
    /// CPUs at [`LOCAL_DISTANCE`] of a group's first CPU, both ways, belong to its group. On success `groups`
    /// holds each CPU's group and `unit_offsets` each CPU's distance from the chunk's first byte; a group starts
    /// where its first CPU's unit does. On failure their contents are unspecified.
    ///
    /// # Errors
    ///
    /// Those of [`Request::sizes`], no CPU, slices of different lengths, or a chunk that does not fit into 64 bits.
    pub fn arrange(
        &self,
        distance: impl Fn(usize, usize) -> u32,
        groups: &mut [usize],
        unit_offsets: &mut [u64],
    ) -> Result<FirstChunk, LayoutError> {
        let sizes = self.sizes()?;
        if groups.is_empty() {
            return Err(LayoutError::NoCpus);
        }
        if groups.len() != unit_offsets.len() {
            return Err(LayoutError::Outputs { groups: groups.len(), unit_offsets: unit_offsets.len() });
        }
        let (min_unit_size, atom_size) = (sizes.min_unit_size, self.atom_size);
        let alloc_size = min_unit_size
            .checked_next_multiple_of(atom_size)
            .ok_or(LayoutError::AllocOverflow { min_unit_size, atom_size })?;

        let nr_groups = group_by_distance(distance, groups);
        // There are at most as many groups as CPUs, so the offsets, not known yet, give room to count in.
        let counts = &mut unit_offsets[..nr_groups];
        counts.fill(0);
        for &group in groups.iter() {
            counts[group] += 1;
        }
        let upa = units_per_alloc(alloc_size, &sizes, self.page_size, counts);
        let unit_size = alloc_size / upa;
        // No count exceeds the number of CPUs, and `upa` no more than 4/3 of it, so this sum is far from 64 bits.
        let nr_units: u64 = counts.iter().map(|count| count.next_multiple_of(upa)).sum();
        nr_units.checked_mul(unit_size).ok_or(LayoutError::ChunkOverflow { nr_units, unit_size })?;

        place(nr_groups, upa, unit_size, groups, unit_offsets);
        Ok(FirstChunk { sizes, unit_size, alloc_size, upa, nr_groups, nr_units })
    }
}

/// Numbers the groups in the order of their first CPUs; returns how many there are.
fn group_by_distance(distance: impl Fn(usize, usize) -> u32, groups: &mut [usize]) -> usize {
    const NONE: usize = usize::MAX;
    groups.fill(NONE);
    let mut nr_groups = 0;
    for first in 0..groups.len() {
        if groups[first] != NONE {
            continue;
        }
        groups[first] = nr_groups;
        for (cpu, group) in groups.iter_mut().enumerate().skip(first + 1) {
            let local = || distance(first, cpu) == LOCAL_DISTANCE && distance(cpu, first) == LOCAL_DISTANCE;
            if *group == NONE && local() {
                *group = nr_groups;
            }
        }
        nr_groups += 1;
    }
    nr_groups
}

/// The fewest units per allocation, so the largest units, that cost no more memory than the most frugal choice
/// among those that waste at most a third of the CPUs' number.
fn units_per_alloc(alloc_size: u64, sizes: &Sizes, page_size: u64, counts: &[u64]) -> u64 {
    let cpus: u64 = counts.iter().sum();
    // With more units than this the first allocation alone would waste too many.
    let most = (alloc_size / sizes.min_unit_size).min(cpus + cpus / 3);
    let mut best = 1;
    let mut last_allocs = u64::MAX;
    for upa in (1..=most).rev() {
        if !alloc_size.is_multiple_of(upa) || !(alloc_size / upa).is_multiple_of(page_size) {
            continue;
        }
        let allocs = counts.iter().map(|count| count.div_ceil(upa)).sum();
        if allocs * upa - cpus > cpus / 3 {
            continue;
        }
        if allocs > last_allocs {
            break;
        }
        last_allocs = allocs;
        best = upa;
    }
    best
}

/// Numbers the units group by group, each group starting with a fresh allocation.
fn place(nr_groups: usize, upa: u64, unit_size: u64, groups: &[usize], unit_offsets: &mut [u64]) {
    let mut unit = 0_u64;
    for group in 0..nr_groups {
        for (_, offset) in groups.iter().zip(unit_offsets.iter_mut()).filter(|(of, _)| **of == group) {
            *offset = unit * unit_size;
            unit += 1;
        }
        unit = unit.next_multiple_of(upa);
    }
}
