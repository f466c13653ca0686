//! Finding a place.

use super::holes::GRANULES;
use super::request::{Dirty, Entry, Fresh, Placed, Request, Want};
use super::runs::FANOUT;
use super::scan::{self, Scanned};
use super::zone::Zone;
use super::{Map, bytes, split};

/// The lane of the largest alignment within a block.
pub(super) const BLOCK_LANE: usize = GRANULES.trailing_zeros() as usize;

impl Map {
    /// Takes a place for `request`.
    ///
    /// # Errors
    ///
    /// [`Want::Metadata`], or [`Want::Range`] where no index knows of a place.
    #[inline]
    pub(in crate::chunk) fn place(&mut self, request: &Request) -> Result<Placed, Want> {
        if request.is_small()
            && let Some(placed) = self.place_shared(Zone::of(request.granules as u32), request)
        {
            return Ok(placed);
        }
        self.place_unshared(request)
    }

    /// As [`place`](Self::place), where no block of the request's zone has a place: [`place_many`](Self::place_many) has looked.
    ///
    /// # Errors
    ///
    /// As there.
    #[cold]
    pub(in crate::chunk) fn place_unshared(&mut self, request: &Request) -> Result<Placed, Want> {
        if request.is_small() {
            self.place_small(Zone::of(request.granules as u32), request)
        } else {
            self.place_large(request)
        }
    }

    /// As [`place`](Self::place), for when that has failed and nothing can be added: looks at holes across the borders of blocks,
    /// from that at block `from` on, which moves on.
    ///
    /// # Errors
    ///
    /// [`Want::Metadata`]; [`Want::Turn`] where it is to be called again; or [`Want::Range`] where there is no place at all.
    pub(in crate::chunk) fn place_anywhere(&mut self, request: &Request, from: &mut u64) -> Result<Placed, Want> {
        let root = self.root.as_mut().ok_or(Want::Range)?;
        match scan::find(root, request, from) {
            Scanned::Found(begin) => self.place_at(begin, request),
            Scanned::Nothing => Err(Want::Range),
            Scanned::NotAll => Err(Want::Turn),
        }
    }

    /// In the lowest shared block of `zone` in which it fits.
    #[inline]
    pub(super) fn place_shared(&mut self, zone: Zone, request: &Request) -> Option<Placed> {
        let mut place = [Entry::EMPTY];
        self.search(zone, request, &mut place)?;
        let offset = place[0].offset();
        let mut dirty = Dirty::NONE;
        if place[0].is_dirty() {
            dirty.push(offset..offset + request.bytes());
        }
        Some(Placed { offset, fresh: None, dirty, lacking: 0 })
    }

    /// Takes places for `entries` in one shared block of the request's zone, from the first entry on, as far as it has some; returns
    /// how many.
    pub(in crate::chunk) fn place_many(&mut self, request: &Request, entries: &mut [Entry]) -> usize {
        if !request.is_small() {
            return 0;
        }
        self.search(Zone::of(request.granules as u32), request, entries).unwrap_or(0)
    }

    /// Takes runs for `request` in the lowest shared block of `zone` that has one. See
    /// [`Leaf::take_shared`](super::leaf::Leaf::take_shared).
    #[inline]
    fn search(&mut self, zone: Zone, request: &Request, entries: &mut [Entry]) -> Option<usize> {
        let (need, lane) = (request.granules as u32, request.lane);
        let root = self.root.as_mut()?;
        let found =
            root.search(0, zone, lane, need, &mut |leaf, base| leaf.take_shared(base, zone, lane, need, entries))?;
        // Who opens a block has enough to do; and an atomic request leaves spare pages to the next.
        if !request.populated {
            self.records.make_leaf_ready(self.page_blocks);
            if self.missed.looks > 0 {
                self.count_for_missed();
            }
        }
        Some(found)
    }

    /// In an idle block, a fresh one, or among objects of the other size.
    fn place_small(&mut self, zone: Zone, request: &Request) -> Result<Placed, Want> {
        self.missed(zone, request);
        let root = self.root.as_ref().ok_or(Want::Range)?;
        let idle = root.next_idle(0);
        if let Some(block) = self.next_ahead(idle) {
            let placed = self.place_at(u64::from(block) * u64::from(GRANULES), request)?;
            self.took_ahead();
            return Ok(placed);
        }
        let fresh = || if request.populated { None } else { root.find_run(1) };
        if let Some(block) = idle.or_else(fresh) {
            return self.place_at(u64::from(block) * u64::from(GRANULES), request);
        }
        self.place_shared(zone.other(), request).ok_or(Want::Range)
    }

    /// In a run of free blocks.
    fn place_large(&mut self, request: &Request) -> Result<Placed, Want> {
        self.free_ahead();
        let blocks = u32::try_from(request.granules.div_ceil(u64::from(GRANULES))).map_err(|_| Want::Range)?;
        let align = 1_u32 << request.lane.saturating_sub(BLOCK_LANE);
        let root = self.root.as_ref().ok_or(Want::Range)?;
        let run = if request.populated {
            self.find_idle_run(blocks, align)
        } else {
            let longer = blocks.checked_add(align - 1).ok_or(Want::Range)?;
            root.find_run(longer).map(|block| block.next_multiple_of(align))
        };
        let run = run.ok_or(Want::Range)?;
        let begin = self.begin_below(run, request).unwrap_or(u64::from(run) * u64::from(GRANULES));
        self.place_at(begin, request)
    }

    /// Where an object can begin in the block below the free run at block `run`, if that saves a block.
    fn begin_below(&self, run: u32, request: &Request) -> Option<u64> {
        let below = run.checked_sub(1)?;
        let leaf = self.root.as_ref()?.leaf(below)?;
        let index = below % FANOUT as u32;
        let block = &leaf.blocks[index as usize];
        // A small object's block stays without large ones, which may leave it pinned.
        if leaf.zones[Zone::Large as usize] & 1 << index == 0 {
            return None;
        }
        let (begin, end) = block.bits.as_deref()?.hole_around(GRANULES, GRANULES);
        let begin = u64::from(below) * u64::from(GRANULES) + u64::from(begin).next_multiple_of(1 << request.lane);
        let run = u64::from(run) * u64::from(GRANULES);
        let blocks = |from: u64| (from + request.granules).div_ceil(u64::from(GRANULES));
        (end == GRANULES && begin < run && blocks(begin) < blocks(run)).then_some(begin)
    }

    /// The begin of the lowest run of `blocks` idle ones. There are few idle blocks, so they are gone through.
    fn find_idle_run(&self, blocks: u32, align: u32) -> Option<u32> {
        let root = self.root.as_ref()?;
        let mut begin = root.next_idle(0)?;
        let mut last = begin;
        loop {
            let aligned = begin.checked_next_multiple_of(align)?;
            if u64::from(last) + 1 >= u64::from(aligned) + u64::from(blocks) {
                return Some(aligned);
            }
            let next = root.next_idle(last + 1)?;
            if next != last + 1 {
                begin = next;
            }
            last = next;
        }
    }

    /// At granule `begin`, from where on all is free.
    fn place_at(&mut self, begin: u64, request: &Request) -> Result<Placed, Want> {
        let end = begin + request.granules;
        // Who takes the last spare page has enough to do: the next has another brought.
        let lacking = self.records.lacking();
        let need = self.need(begin, end);
        self.records.reserve(need).map_err(Want::Metadata)?;
        if need.leaves > 0 {
            self.materialise(&(split(begin).0..split(end - 1).0 + 1));
        }
        let mut dirty = Dirty::NONE;
        let zone = Zone::of(u32::try_from(request.granules).unwrap_or(u32::MAX));
        let ahead = self.occupy(begin, end, zone, &mut dirty);
        let fresh = ahead.and_then(|ahead| {
            let (block, last) = (split(begin).0, split(end - 1).0);
            // Of one block, it is the page: nobody has to look.
            let pages = if block == last {
                self.page_of(block, ahead)
            } else {
                self.unpopulated(bytes(begin), bytes(end), ahead)?
            };
            Some(Fresh { pages, ahead })
        });
        // Where every object opens a block, as here, at the latest half a leaf before the next.
        if fresh.is_none() && !request.populated && split(begin).0 as usize % FANOUT >= FANOUT / 2 {
            self.records.make_leaf_ready(self.page_blocks);
        }
        Ok(Placed { offset: bytes(begin), fresh, dirty, lacking })
    }
}
