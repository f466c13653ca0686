//! Memory for the allocator's own records: pages cut into cells of one type.
//!
//! ```text
//!  metadata page   ┌────────┬──────┬──────┬─ ─ ─┬──────┐
//!                  │ header │ cell │ cell │     │ cell │      every cell of one page of one type
//!                  └────────┴──────┴──────┴─ ─ ─┴──────┘
//! ```
//!
//! Pages come from outside, before they are needed, and go back when their last cell is free. An [`Owned`] is to a
//! cell what a `Box` is to the heap, but for its drop: who has one gives it back by [`Cells::free`].

use core::marker::PhantomData;
use core::mem::{align_of, size_of};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use crate::chunk::memory::MetadataPage;

/// Bytes of a metadata page, and its alignment.
pub(crate) const METADATA_PAGE: usize = 4096;

/// Where cells begin.
pub(super) const FIRST_CELL: usize = 64;

/// The begin of a page that is cut into cells.
struct Header {
    /// The neighbours among the pages of this type with a free cell.
    next: Option<NonNull<Header>>,
    previous: Option<NonNull<Header>>,
    /// The free cells.
    free: u64,
}

const _: () = assert!(size_of::<Header>() <= FIRST_CELL);

/// Sole possession of one cell.
#[derive(Debug)]
pub(in crate::chunk) struct Owned<T>(NonNull<T>);

// SAFETY: as a `Box`: nobody else reaches the cell.
unsafe impl<T: Send> Send for Owned<T> {}

impl<T> Deref for Owned<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the cell was initialised by `Cells::new_cell` and is this value's alone until `Cells::free`.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for Owned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { self.0.as_mut() }
    }
}

/// Metadata pages that no cell is in.
#[derive(Debug)]
pub(super) struct Spares {
    first: Option<NonNull<Spare>>,
    count: usize,
}

/// A page without cells.
#[derive(Debug)]
struct Spare {
    next: Option<NonNull<Spare>>,
}

// SAFETY: the pages of the list are its own.
unsafe impl Send for Spares {}

impl Spares {
    pub(super) const EMPTY: Self = Self { first: None, count: 0 };

    /// Number of pages.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, page: MetadataPage) {
        let spare = page.into_raw().cast::<Spare>();
        // SAFETY: the page is whole, aligned and ours alone.
        unsafe { spare.write(Spare { next: self.first }) };
        self.first = Some(spare);
        self.count += 1;
    }

    pub(super) fn pop(&mut self) -> Option<MetadataPage> {
        let spare = self.first?;
        // SAFETY: a page of the list, written by `push`.
        self.first = unsafe { spare.read() }.next;
        self.count -= 1;
        // SAFETY: it has left the list, and came in as a whole page.
        Some(unsafe { MetadataPage::from_raw(spare.cast()) })
    }
}

/// The cells of one type.
#[derive(Debug)]
pub(super) struct Cells<T> {
    /// The pages with a free cell.
    partial: Option<NonNull<Header>>,
    free: usize,
    cells: PhantomData<T>,
}

// SAFETY: the pages of the list are its own, and what is in their cells belongs to those who have them.
unsafe impl<T> Send for Cells<T> {}

impl<T> Cells<T> {
    pub(super) const EMPTY: Self = Self { partial: None, free: 0, cells: PhantomData };

    /// Cells of a page.
    const IN_PAGE: usize = {
        let count = (METADATA_PAGE - FIRST_CELL) / size_of::<T>();
        assert!(count >= 1 && align_of::<T>() <= FIRST_CELL);
        if count < 64 { count } else { 63 }
    };

    /// Pages that have to be spare for `count` cells more.
    pub(super) fn pages_for(&self, count: usize) -> usize {
        count.saturating_sub(self.free).div_ceil(Self::IN_PAGE)
    }

    /// Whether there may be a page with one cell in use, and room for that in another.
    pub(super) fn has_page_to_spare(&self) -> bool {
        self.free >= Self::IN_PAGE
    }

    /// A cell with what `value` makes, which it makes there.
    ///
    /// # Panics
    ///
    /// Where no cell is free and no page is spare: the caller has asked [`pages_for`](Self::pages_for) before.
    #[inline]
    pub(super) fn new_cell(&mut self, value: impl FnOnce() -> T, spares: &mut Spares) -> Owned<T> {
        let mut header = self.partial.unwrap_or_else(|| self.cut(spares.pop().expect("a spare metadata page")));
        // SAFETY: a page of this list, so its header is initialised and reached by this list alone.
        let page = unsafe { header.as_mut() };
        let index = page.free.trailing_zeros() as usize;
        page.free &= page.free - 1;
        if page.free == 0 {
            self.unlink(header);
        }
        self.free -= 1;
        // SAFETY: within the page, behind its header, and free, so nobody else's.
        unsafe {
            let cell = header.cast::<u8>().add(FIRST_CELL + index * size_of::<T>()).cast::<T>();
            cell.write(value());
            Owned(cell)
        }
    }

    /// Takes a cell back; its page becomes spare with the last one.
    pub(super) fn free(&mut self, cell: Owned<T>, spares: &mut Spares) {
        let within = cell.0.addr().get() % METADATA_PAGE;
        // SAFETY: pages are aligned to their size and the header stands first; the cell's pointer has come from the
        // page's, as far as `new_cell` made it.
        let mut header = unsafe { cell.0.cast::<u8>().sub(within) }.cast::<Header>();
        // SAFETY: the page of a live cell has a header, which is reached by this list alone.
        let page = unsafe { header.as_mut() };
        let was_full = page.free == 0;
        page.free |= 1 << ((within - FIRST_CELL) / size_of::<T>());
        let is_empty = page.free.count_ones() as usize == Self::IN_PAGE;
        // SAFETY: the value is this cell's, and nobody uses the cell from here on.
        unsafe { cell.0.drop_in_place() };
        self.free += 1;
        if was_full {
            self.link(header);
        }
        if is_empty {
            self.unlink(header);
            self.free -= Self::IN_PAGE;
            // SAFETY: none of its cells is in use, and it has left the list.
            spares.push(unsafe { MetadataPage::from_raw(header.cast()) });
        }
    }

    fn cut(&mut self, page: MetadataPage) -> NonNull<Header> {
        let header = page.into_raw().cast::<Header>();
        // SAFETY: the page is whole, aligned and ours alone.
        unsafe { header.write(Header { next: None, previous: None, free: (1 << Self::IN_PAGE) - 1 }) };
        self.link(header);
        self.free += Self::IN_PAGE;
        header
    }

    fn link(&mut self, mut header: NonNull<Header>) {
        // SAFETY: pages of this list, each header reached by it alone, and two different ones.
        unsafe {
            header.as_mut().previous = None;
            header.as_mut().next = self.partial;
            if let Some(mut next) = self.partial {
                next.as_mut().previous = Some(header);
            }
        }
        self.partial = Some(header);
    }

    fn unlink(&mut self, header: NonNull<Header>) {
        // SAFETY: as in `link`.
        unsafe {
            let Header { next, previous, .. } = *header.as_ref();
            match previous {
                Some(mut previous) => previous.as_mut().next = next,
                None => self.partial = next,
            }
            if let Some(mut next) = next {
                next.as_mut().previous = previous;
            }
        }
    }
}
