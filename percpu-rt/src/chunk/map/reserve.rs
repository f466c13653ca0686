//! Pages for atomic allocations: taken by nobody, populated, and with the records for what will be in them.
//!
//! To the map they are one object. Its end is freed bit by bit, when an atomic allocation finds no other place:
//!
//! ```text
//!  ┌──────────────────────────────┬──────────┐
//!  │ reserved                     │ opened   │
//!  └──────────────────────────────┴──────────┘
//!                          └ the next block
//! ```

use core::ops::Range;

use super::Map;
use super::holes::{BLOCK, GRANULE};
use super::records::Need;
use super::request::{Placed, Request, Want};
use super::runs::FANOUT;

impl Map {
    /// Makes a stock of bits for each block of the object at `offsets`, which has them whole.
    ///
    /// # Errors
    ///
    /// [`Want::Metadata`]; nothing has changed then.
    pub(in crate::chunk) fn stock_bits(&mut self, offsets: &Range<usize>) -> Result<(), Want> {
        self.records.reserve(Need { bits: offsets.len() / BLOCK, ..Need::default() }).map_err(Want::Metadata)?;
        self.edit_leaves(blocks(offsets), |leaf, records, blocks, _| {
            for block in blocks {
                leaf.blocks[block as usize % FANOUT].bits.get_or_insert_with(|| records.new_bits());
            }
        });
        Ok(())
    }

    /// Takes a place for `request`, for which more and more of `reserve` is given up.
    pub(in crate::chunk) fn place_in_reserve(
        &mut self,
        reserve: &mut Range<usize>,
        request: &Request,
    ) -> Option<Placed> {
        loop {
            match self.place(request) {
                Ok(placed) => return Some(placed),
                Err(Want::Range | Want::Turn) => self.open_reserve(reserve, request)?,
                Err(Want::Metadata(_)) => self.open_for_bits(reserve)?,
            }
        }
    }

    /// Frees the last blocks of `reserve`, as many as `request` needs, or all; none where it would be in vain.
    fn open_reserve(&mut self, reserve: &mut Range<usize>, request: &Request) -> Option<()> {
        let page = self.page_blocks as usize * BLOCK;
        let size = request.bytes().checked_next_multiple_of(BLOCK)?;
        if size > reserve.len() + self.idle_bytes(reserve.end, size) {
            return None;
        }
        // Its begin is a page's, so no page is left by halves to an object that is aligned to more than a block.
        let align = if request.is_aligned_beyond_blocks() { page } else { BLOCK };
        let begin = reserve.end.saturating_sub(size) / align * align;
        self.free_from(reserve, begin.max(reserve.start))
    }

    /// Bytes of idle blocks in a row from `offset` on, up to `most`.
    fn idle_bytes(&self, offset: usize, most: usize) -> usize {
        let Some(root) = &self.root else { return 0 };
        let first = (offset / BLOCK) as u64;
        let is_idle = |block: &u64| {
            *block < root.blocks()
                && root.leaf(*block as u32).is_some_and(|leaf| leaf.idle() >> (*block as usize % FANOUT) & 1 != 0)
        };
        (first..).take(most / BLOCK).take_while(is_idle).count() * BLOCK
    }

    /// Has the bits of a block used in another: of one that is idle and was part of the reserve, or else of the last of `reserve`,
    /// which is freed. A lower block that is idle may have none.
    fn open_for_bits(&mut self, reserve: &mut Range<usize>) -> Option<()> {
        if self.free_idle_bits() {
            return Some(());
        }
        let last = reserve.end.saturating_sub(BLOCK).max(reserve.start);
        self.free_from(reserve, last)?;
        self.free_idle_bits();
        Some(())
    }

    /// Gives back the bits of a block that has some in stock and is idle; false where there is none.
    fn free_idle_bits(&mut self) -> bool {
        let Self { root: Some(root), records, .. } = self else { return false };
        let mut from = 0;
        while let Some(block) = root.next_idle(from) {
            let index = block as usize % FANOUT;
            if let Some(bits) = root.leaf_mut(block).and_then(|leaf| leaf.blocks[index].bits.take()) {
                records.free_bits(bits);
                return true;
            }
            from = block + 1;
        }
        false
    }

    /// Frees what of `reserve` lies behind `begin`; `None` where that is nothing.
    fn free_from(&mut self, reserve: &mut Range<usize>, begin: usize) -> Option<()> {
        if begin >= reserve.end {
            return None;
        }
        self.release_pieces((begin / GRANULE) as u64, (reserve.end / GRANULE) as u64);
        reserve.end = begin;
        Some(())
    }
}

fn blocks(offsets: &Range<usize>) -> Range<u32> {
    (offsets.start / BLOCK) as u32..(offsets.end / BLOCK) as u32
}
