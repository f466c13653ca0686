//! Finding out what is freed, and freeing it.

use super::bits::At;
use super::change::pieces;
use super::freed::{News, Slot};
use super::holes::{BLOCK, GRANULE, GRANULES};
use super::leaf::{Kind, Leaf};
use super::node::Node;
use super::request::Entry;
use super::runs::FANOUT;
use super::{Map, bytes, split};

/// Why an offset cannot be freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chunk) enum FreeError {
    /// Nothing is there.
    Nothing,
    /// An object is there, and began before.
    Interior,
}

impl Map {
    /// The size in bytes of the object at `offset`.
    ///
    /// # Errors
    ///
    /// Where none begins there.
    #[inline]
    pub(in crate::chunk) fn size_of(&self, offset: usize) -> Result<usize, FreeError> {
        if !offset.is_multiple_of(GRANULE) {
            return Err(FreeError::Interior);
        }
        let begin = (offset / GRANULE) as u64;
        self.end_of(begin).map(|end| bytes(end - begin))
    }

    /// Frees the object at `offset`; returns its size in bytes.
    ///
    /// # Errors
    ///
    /// Where no object begins there; nothing has changed then.
    #[inline]
    pub(in crate::chunk) fn release(&mut self, offset: usize) -> Result<usize, FreeError> {
        if !offset.is_multiple_of(GRANULE) {
            return Err(FreeError::Interior);
        }
        let begin = (offset / GRANULE) as u64;
        let end = self.end_of(begin)?;
        self.release_pieces(begin, end);
        Ok(bytes(end - begin))
    }

    #[inline]
    fn release_shared(&mut self, block: u32, slot: Slot) {
        let Self { root: Some(root), records, surplus, .. } = self else { return };
        let Some(leaf) = root.leaf_mut(block) else { return };
        let mut news = News::NONE;
        let bits = leaf.release_shared(block % FANOUT as u32, slot, &mut news);
        if let Some(bits) = bits {
            // The page may be one to give back now.
            let bit = 1 << (block % FANOUT as u32);
            *surplus += usize::from(leaf.surplus() & bit != 0);
            records.free_bits(bits);
        }
        root.tell(block, &news);
    }

    /// Frees objects of `granules` each, from the first place on, up to the end of the places, to a mistake, or until `pages` more are
    /// empty; returns how many, and what stands in place of the next. Neighbours in one block are freed together.
    pub(in crate::chunk) fn release_many(
        &mut self,
        places: &[Entry],
        granules: u64,
        pages: usize,
    ) -> (usize, Option<FreeError>) {
        let end = self.surplus.saturating_add(pages);
        let mut count = 0;
        while let Some(place) = places.get(count).filter(|_| self.surplus < end) {
            let together = self.release_together(&places[count..], granules);
            count += together;
            if together > 0 {
                continue;
            }
            if let Err(error) = self.release_sized(*place, granules) {
                return (count, Some(error));
            }
            count += 1;
        }
        (count, None)
    }

    /// Frees the object of `granules` at `place`.
    ///
    /// # Errors
    ///
    /// Where none of that size begins there; nothing has changed then.
    pub(in crate::chunk) fn release_sized(&mut self, place: Entry, granules: u64) -> Result<(), FreeError> {
        let begin = (place.offset() / GRANULE) as u64;
        let end = self.end_of(begin)?;
        if end - begin != granules {
            return Err(FreeError::Interior);
        }
        self.release_pieces(begin, end);
        Ok(())
    }

    /// Frees objects in the block of the first place, for as long as the places are in it; returns how many. None where
    /// the first does not lie in one shared block.
    fn release_together(&mut self, places: &[Entry], granules: u64) -> usize {
        let Some(first) = places.first() else { return 0 };
        let (block, _) = split((first.offset() / GRANULE) as u64);
        if granules >= u64::from(GRANULES) || u64::from(block) >= self.blocks() {
            return 0;
        }
        let Self { root: Some(root), records, surplus, .. } = self else { return 0 };
        let Some(leaf) = root.leaf_mut(block) else { return 0 };
        let index = block % FANOUT as u32;
        let mut news = News::NONE;
        let (count, bits) =
            leaf.release_many(index, first.offset() / BLOCK * BLOCK, granules as u32, places, &mut news);
        if let Some(bits) = bits {
            *surplus += usize::from(leaf.surplus() & 1 << index != 0);
            records.free_bits(bits);
        }
        root.tell(block, &news);
        count
    }

    /// Frees what lies between two granules, the whole of one object or its end.
    #[inline]
    pub(super) fn release_pieces(&mut self, begin: u64, end: u64) {
        let ((block, first), (last_block, last)) = (split(begin), split(end - 1));
        if block == last_block && (first, last + 1) != (0, GRANULES) {
            self.release_shared(block, Slot { begin: first, end: last + 1 });
        } else {
            self.release_blocks(begin, end);
        }
    }

    /// As [`release_pieces`](Self::release_pieces), of a whole block or several.
    fn release_blocks(&mut self, begin: u64, end: u64) {
        let (first, last) = (split(begin).0, split(end - 1).0);
        self.edit_leaves(first..last + 1, |leaf, records, blocks, _| {
            for piece in pieces(begin, end, blocks) {
                let index = piece.block % FANOUT as u32;
                let block = &mut leaf.blocks[index as usize];
                if block.kind == Kind::Shared {
                    let slot = Slot { begin: piece.begin, end: piece.end };
                    // The edit tells of all.
                    let mut news = News::NONE;
                    let bits = leaf.release_shared(index, slot, &mut news);
                    if let Some(bits) = bits {
                        records.free_bits(bits);
                    }
                } else {
                    block.kind = Kind::Free;
                    block.used = 0;
                    leaf.free |= 1 << index;
                }
            }
        });
    }

    /// The granule behind the object that begins at granule `begin`.
    #[inline]
    fn end_of(&self, begin: u64) -> Result<u64, FreeError> {
        if begin >= self.blocks() * u64::from(GRANULES) {
            return Err(FreeError::Nothing);
        }
        let (block, granule) = split(begin);
        let root = self.root.as_deref().ok_or(FreeError::Nothing)?;
        let leaf = root.leaf(block).ok_or(FreeError::Nothing)?;
        match leaf.at(block % FANOUT as u32, granule) {
            At::Free => return Err(FreeError::Nothing),
            At::Inside => return Err(FreeError::Interior),
            At::Start => {}
        }
        let of = &leaf.blocks[block as usize % FANOUT];
        let end = match of.bits.as_deref() {
            Some(bits) if of.kind == Kind::Shared => bits.end_of_object(granule),
            _ => GRANULES,
        };
        let end_of_piece = u64::from(block) * u64::from(GRANULES) + u64::from(end);
        if end < GRANULES { Ok(end_of_piece) } else { Ok(self.end_beyond(root, leaf, block)) }
    }

    /// The granule behind the object that reaches to the end of `block`.
    fn end_beyond(&self, root: &Node, leaf: &Leaf, mut block: u32) -> u64 {
        let mut leaf = Some(leaf);
        loop {
            block += 1;
            if (block as usize).is_multiple_of(FANOUT) {
                leaf = if u64::from(block) < self.blocks() { root.leaf(block) } else { None };
            }
            let index = block % FANOUT as u32;
            let begin = u64::from(block) * u64::from(GRANULES);
            let Some(leaf) = leaf else { return begin };
            let block = &leaf.blocks[index as usize];
            match (block.kind, block.bits.as_deref()) {
                (Kind::Inside, _) => {}
                // The first granule of the block belongs to an object that did not begin there.
                (Kind::Shared, Some(bits)) if bits.at(0) == At::Inside => {
                    return begin + u64::from(bits.end_of_object(0));
                }
                _ => return begin,
            }
        }
    }
}
