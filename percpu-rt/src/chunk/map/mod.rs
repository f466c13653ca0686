//! Which bytes of a unit are whose: the allocator's decisions, without its memory.
//!
//! The map knows offsets, and touches no unit. A change that needs pages says so and is finished by whoever has brought
//! them, so that no system call is made under the lock that guards the map:
//!
//! ```text
//!  place ──▶ Want::Metadata ──▶ donate, and once more
//!    │
//!    └─────▶ Placed { fresh } ──▶ (populate) ──▶ set_populated     the object is whole
//!                                     └────────▶ cancel            as if it had never been
//!  release ─▶ take_surplus ──▶ (depopulate) ──▶ set_depopulated
//! ```
//!
//! # What it looks like
//!
//! ```text
//!  root            ┌────┬────┬────┬─ ─       a node: 32 children; says of each which holes and which runs of free
//!                  └─┬──┴────┴────┴─ ─       blocks are below it
//!  leaf, a chunk     └▶┌────┬────┬────┬─ ─   32 blocks, 128 KiB
//!                      └─┬──┴────┴─┬──┴─ ─
//!  block, 4 KiB          │         └ free, or whole in one object: no more is known of it
//!                        └ shared: bits for every granule of 4 bytes
//! ```
//!
//! - A small request goes to the lowest block of its [zone] in which it fits: one comparison a place on the way
//!   down, since [`Holes`](holes::Holes) knows every alignment, and none below the [floor] of what was looked for in vain. Else to
//!   the lowest idle block, of those that came along with [another's](ahead) too, else a fresh one.
//! - A large request goes to the lowest run of free blocks, and begins behind what its neighbour below has left of its
//!   last block where that saves one.
//! - Only where all this fails and no chunk can be added, [holes at the borders of blocks](scan) are looked at: those that have
//!   grown since they were seen, and those that were long enough.
//! - Small objects that are freed many at a time leave holes of their own size behind, as far as the indexes know; what these have
//!   joined is [counted](recount) when more is asked for.
//! - What has no objects has no records: a leaf exists while something in it is taken or populated.

mod ahead;
mod bits;
pub(super) mod cells;
mod change;
mod floor;
mod freed;
pub(super) mod holes;
mod leaf;
mod node;
mod pages;
mod place;
mod range;
mod records;
pub(super) mod recount;
mod release;
pub(super) mod request;
mod reserve;
mod runs;
mod scan;
mod spans;
#[cfg(test)]
mod tests;
mod zone;

use core::ops::Range;

use cells::Owned;
use holes::{BLOCK, GRANULE, GRANULES};
pub(super) use leaf::ones;
use node::Node;
use records::Records;
pub(super) use release::FreeError;

use super::cache::Magazine;
use super::memory::MetadataPage;

/// A magazine, among the map's records.
pub(super) type OwnedMagazine = Owned<Magazine>;

/// The state of the ranges that one allocator has.
#[derive(Debug)]
pub(super) struct Map {
    /// Grows upwards with the ranges; `None` before the first.
    root: Option<Owned<Node>>,
    records: Records,
    /// Blocks of a page.
    page_blocks: u32,
    /// Populated pages, for good or not.
    populated: usize,
    /// Populated pages with nothing in them that may be given back.
    surplus: usize,
    /// Blocks that are held, of some of these pages, for the next small objects.
    ahead: Range<u32>,
    /// What no place was known for.
    missed: recount::Missed,
}

impl Map {
    /// A map of nothing, for pages of `page_blocks` blocks, a power of two up to 32.
    pub(super) const fn new(page_blocks: u32) -> Self {
        Self {
            root: None,
            records: Records::EMPTY,
            page_blocks,
            populated: 0,
            surplus: 0,
            ahead: 0..0,
            missed: recount::Missed::NOTHING,
        }
    }

    /// Takes a page for records, which [`Want::Metadata`](request::Want::Metadata) asked for.
    pub(super) fn donate(&mut self, page: MetadataPage) {
        self.records.donate(page);
    }

    /// Takes a page that [`Placed::lacking`](request::Placed) asked for, if nobody else has brought one meanwhile.
    pub(super) fn donate_ahead(&mut self, page: MetadataPage) -> Option<MetadataPage> {
        if self.records.lacking() == 0 {
            return Some(page);
        }
        self.donate(page);
        None
    }

    /// A metadata page that is not needed any more, and whether there are more.
    pub(super) fn surplus_metadata(&mut self) -> Option<(MetadataPage, bool)> {
        self.records.surplus()
    }

    /// A magazine.
    ///
    /// # Errors
    ///
    /// [`Want::Metadata`](request::Want::Metadata).
    pub(super) fn new_magazine(&mut self) -> Result<OwnedMagazine, request::Want> {
        let need = records::Need { magazines: 1, ..records::Need::default() };
        self.records.reserve(need).map_err(request::Want::Metadata)?;
        Ok(self.records.new_magazine())
    }

    pub(super) fn free_magazine(&mut self, magazine: OwnedMagazine) {
        self.records.free_magazine(magazine);
    }

    /// Ends the map: all its metadata pages, one at a time.
    pub(super) fn dismantle(&mut self) -> Option<MetadataPage> {
        if let Some(root) = self.root.take() {
            self.records.free_node(root);
        }
        self.records.last()
    }

    /// Bytes of records.
    pub(super) fn metadata_bytes(&self) -> usize {
        self.records.pages() * MetadataPage::SIZE
    }

    /// Chunks with anything in them.
    pub(super) fn chunks(&self) -> usize {
        self.records.chunks
    }

    /// Populated bytes of a unit.
    pub(super) fn populated_bytes(&self) -> usize {
        self.populated * self.page_blocks as usize * BLOCK
    }

    /// Blocks below the root.
    fn blocks(&self) -> u64 {
        self.root.as_ref().map_or(0, |root| root.blocks())
    }
}

/// From granules to bytes.
fn bytes(granules: u64) -> usize {
    granules as usize * GRANULE
}

/// The block of a granule, and its place there.
fn split(granule: u64) -> (u32, u32) {
    ((granule / u64::from(GRANULES)) as u32, (granule % u64::from(GRANULES)) as u32)
}
