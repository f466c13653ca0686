//! What an allocation needs from outside, and gets without the lock: pages, records, zeroes.

use super::allocator::Allocator;
use super::error::AllocError;
use super::lock::RawLock;
use super::map::holes::GRANULE;
use super::map::recount::Counted;
use super::map::request::{Dirty, Fresh, Placed, Request, Want};
use super::memory::{Memory, MetadataPage};
use super::state::State;
use super::zero::zero;

impl<M: Memory, L: RawLock> Allocator<M, L> {
    /// The way around a lack of records, of room in the ranges, and at last of anything but luck.
    #[cold]
    pub(super) fn alloc_slowly(
        &self,
        want: Want,
        request: &Request,
        size: usize,
        align: usize,
    ) -> Result<Placed, AllocError> {
        self.place_slowly(want, request, size, align).or_else(|error| self.place_in_uncounted(request).ok_or(error))
    }

    fn place_slowly(&self, mut want: Want, request: &Request, size: usize, align: usize) -> Result<Placed, AllocError> {
        let atomic = request.is_atomic();
        let mut anywhere = atomic;
        // How far holes have been looked at, and whether anything was on its way meanwhile.
        let (mut from, mut was_moving) = (0, false);
        let mut rounds = 0;
        let mut wait = || {
            rounds += 1;
            self.memory.wait(rounds)
        };
        loop {
            match want {
                Want::Metadata(pages) if atomic => {
                    if self.donate_from(|| self.memory.metadata_at_once(), pages).is_none() {
                        return self.place_in_reserve(request, size, align);
                    }
                }
                Want::Metadata(pages) => self.donate(pages, size)?,
                Want::Range if anywhere => (from, was_moving) = (0, false),
                Want::Turn => {}
                Want::Range if self.with(State::begin_growth) => anywhere = !self.grow(size)?,
                // Another thread's chunk may do.
                Want::Range => anywhere = !wait(),
            }
            let (placed, is_moving, largest) = self.with(|state| {
                let mut placed = state.place(request);
                if anywhere && placed.as_ref().is_err_and(|want| *want == Want::Range) {
                    placed = state.place_anywhere(request, &mut from);
                }
                (placed, state.is_moving(), state.largest())
            });
            was_moving |= is_moving && size <= largest;
            match placed {
                Ok(placed) => return Ok(placed),
                Err(Want::Range) if anywhere && atomic => return self.place_in_reserve(request, size, align),
                // What is on its way is nobody's, and may be what is lacking.
                Err(Want::Range) if anywhere && !(was_moving && wait()) => {
                    return Err(exhausted(size, align, largest));
                }
                Err(next) => want = next,
            }
        }
    }

    /// The last place that there may be for a request that is refused else. It needs no pages and no records.
    #[cold]
    pub(super) fn place_in_uncounted(&self, request: &Request) -> Option<Placed> {
        let mut from = 0;
        loop {
            match self.with(|state| state.place_in_uncounted(request, &mut from)) {
                Counted::Placed(placed) => return Some(placed),
                Counted::All => return None,
                Counted::NotAll => {}
            }
        }
    }

    /// Adds a chunk with room for `size` bytes; false where there is none.
    fn grow(&self, size: usize) -> Result<bool, AllocError> {
        let result = match self.memory.grow(size) {
            Some(range) => {
                self.add(range.clone(), false, size).map(|()| true).inspect_err(|_| self.memory.shrink(range))
            }
            None => Ok(false),
        };
        self.with(State::end_growth);
        result
    }

    /// Populates and zeroes what was placed.
    #[inline]
    pub(super) fn make_ready(&self, placed: &Placed, request: &Request, size: usize) -> Result<(), AllocError> {
        if let Some(fresh) = &placed.fresh {
            self.populate(placed.offset, request, size, fresh.clone())?;
        } else if placed.lacking > 0 && !request.is_atomic() {
            self.donate_ahead();
        }
        self.zero(&placed.dirty);
        Ok(())
    }

    #[inline]
    pub(super) fn zero(&self, dirty: &Dirty) {
        for range in dirty.ranges() {
            self.zero_range(range.start, range.len());
        }
    }

    /// Zeroes what somebody may have written, in every unit.
    #[inline]
    pub(crate) fn zero_range(&self, offset: usize, size: usize) {
        // SAFETY: populated bytes of an object that nobody has yet, by whole granules.
        unsafe { zero(self.memory.units(), |unit| self.memory.copy(unit, offset), size.next_multiple_of(GRANULE)) };
    }

    /// Brings the pages that an object lacks. No other change meets them until all are there.
    #[cold]
    fn populate(&self, offset: usize, request: &Request, size: usize, mut fresh: Fresh) -> Result<(), AllocError> {
        let own = (offset + size).next_multiple_of(self.page_size);
        let mut pages = fresh.pages.clone();
        loop {
            if self.memory.populate(pages.clone()).is_ok() {
                match self.with(|state| state.brought(offset, request, &fresh, pages.end)) {
                    Some(next) => pages = next,
                    None => return Ok(()),
                }
                continue;
            }
            // Less may be had.
            let is_less = pages.end > own;
            if fresh.ahead > 0 {
                self.with(|state| state.map.unhold(own..own + fresh.ahead));
                fresh = Fresh { pages: fresh.pages.start..fresh.pages.end.min(own), ahead: 0 };
            }
            if !is_less {
                break;
            }
            pages.end = own;
        }
        let mut from = offset;
        while let Some(brought) = self.with(|state| state.map.unpopulated(from, pages.start, 0)) {
            from = brought.end;
            self.memory.depopulate(brought);
        }
        self.return_records(|state| state.cancel(offset, size));
        Err(AllocError::NoMemory { size, units: self.memory.units() })
    }

    /// Runs `change`, and gives pages of records back that are not needed then.
    pub(super) fn return_records(&self, change: impl FnOnce(&mut State)) {
        let mut surplus = self.with(|state| {
            change(state);
            state.map.surplus_metadata()
        });
        while let Some((page, more)) = surplus {
            self.memory.free_metadata(page);
            surplus = if more { self.with(|state| state.map.surplus_metadata()) } else { None };
        }
    }

    /// Gives the map a page for the records of others, if there is one. Who populates does not: one wait is enough.
    #[cold]
    fn donate_ahead(&self) {
        let Some(page) = self.memory.metadata() else { return };
        let unneeded = self.with(|state| {
            let unneeded = state.map.donate_ahead(page);
            state.note_peaks();
            unneeded
        });
        if let Some(page) = unneeded {
            self.memory.free_metadata(page);
        }
    }

    pub(super) fn donate(&self, pages: usize, size: usize) -> Result<(), AllocError> {
        self.donate_from(|| self.memory.metadata(), pages).ok_or_else(|| {
            self.return_records(|_| ());
            AllocError::NoMemory { size, units: self.memory.units() }
        })
    }

    /// Gives the map pages for records; `None` where `source` has not so many. What it had stays spare.
    fn donate_from(&self, source: impl Fn() -> Option<MetadataPage>, pages: usize) -> Option<()> {
        for _ in 0..pages {
            let page = source()?;
            self.with(|state| {
                state.map.donate(page);
                state.note_peaks();
            });
        }
        Some(())
    }
}

fn exhausted(size: usize, align: usize, max: usize) -> AllocError {
    // Where there is nothing yet, there may be something later.
    if size > max && max > 0 { AllocError::TooLarge { size, max } } else { AllocError::Exhausted { size, align } }
}
