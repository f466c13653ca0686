//! All records, by number, in metadata pages.
//!
//! ```text
//!  root, a page       ┌───┬───┬─ ─
//!                     └─┬─┴───┴─ ─
//!  branch, a page       └▶┌───┬───┬─ ─
//!                         └─┬─┴───┴─ ─
//!  leaf, a page             └▶┌────────┬────────┬─ ─
//!                             │ record │ record │          free ones in a queue: first freed, first used again
//!                             └────────┴────────┴─ ─
//! ```

use core::ptr::NonNull;

use super::object::Object;
use super::record::Record;
use super::ticket::Tag;
use crate::chunk::memory::MetadataPage;

/// Pages below a page that only refers to others.
const FANOUT: usize = MetadataPage::SIZE / size_of::<usize>();

/// Records of a leaf.
const IN_LEAF: usize = MetadataPage::SIZE / size_of::<Record>();

/// The most leaves: as tags can name, and a root has room for.
const LEAVES: usize = {
    let tags = Tag::RECORDS / IN_LEAF;
    if tags < FANOUT * FANOUT { tags } else { FANOUT * FANOUT }
};

/// Records that are kept free for those who may not ask for a page.
const STOCK: usize = 64;

/// A page that refers to others of type `T`.
type Pages<T> = [Option<NonNull<T>>; FANOUT];
type Leaf = [Record; IN_LEAF];

const _: () = assert!(size_of::<Pages<Leaf>>() == MetadataPage::SIZE && size_of::<Leaf>() <= MetadataPage::SIZE);

/// The records.
#[derive(Debug)]
pub(super) struct Table {
    root: Option<NonNull<Pages<Pages<Leaf>>>>,
    leaves: usize,
    pages: usize,
    /// The queue of free records.
    first: Option<u32>,
    last: Option<u32>,
    free: usize,
    /// The number of the latest allocation.
    number: u64,
}

// SAFETY: the pages are the table's own.
unsafe impl Send for Table {}

impl Table {
    pub(super) const EMPTY: Self =
        Self { root: None, leaves: 0, pages: 0, first: None, last: None, free: 0, number: 0 };

    /// Number of metadata pages.
    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    /// Whether it should be given a page.
    pub(super) fn is_short(&self) -> bool {
        self.free <= STOCK
    }

    /// Takes a page, by which it may still be short.
    ///
    /// # Errors
    ///
    /// Gives the page back where it has as many as it can use.
    pub(super) fn donate(&mut self, page: MetadataPage) -> Result<(), MetadataPage> {
        if self.leaves == LEAVES {
            return Err(page);
        }
        self.pages += 1;
        let page = page.into_raw();
        let Some(mut root) = self.root else {
            self.root = Some(new_pages(page));
            return Ok(());
        };
        // SAFETY: a page of this table, initialised where it was donated, and borrowed with the table.
        let branch = unsafe { &mut root.as_mut()[self.leaves / FANOUT] };
        let Some(mut branch) = *branch else {
            *branch = Some(new_pages(page));
            return Ok(());
        };
        let leaf = page.cast::<Leaf>();
        // SAFETY: a metadata page has room for a leaf and its alignment, and this one is the table's alone.
        unsafe { leaf.write([Record::UNUSED; IN_LEAF]) };
        // SAFETY: as the root.
        unsafe { branch.as_mut()[self.leaves % FANOUT] = Some(leaf) };
        self.leaves += 1;
        for index in (self.leaves - 1) * IN_LEAF..self.leaves * IN_LEAF {
            self.put(index as u32);
        }
        Ok(())
    }

    /// Ends the table: all its pages, one at a time.
    pub(super) fn dismantle(&mut self) -> Option<MetadataPage> {
        let mut root = self.root?;
        // SAFETY: as in `donate`.
        let branch = unsafe { root.as_mut() }.iter_mut().rev().find(|branch| branch.is_some());
        let page = match branch {
            None => self.root.take()?.cast(),
            Some(branch) => {
                // SAFETY: as in `donate`; `find` has seen it.
                let leaf = unsafe { branch.as_mut()?.as_mut() }.iter_mut().find_map(Option::take);
                match leaf {
                    Some(leaf) => leaf.cast(),
                    None => branch.take()?.cast(),
                }
            }
        };
        self.pages -= 1;
        self.leaves = 0;
        // SAFETY: it came in as a whole page, and nothing refers to it any more.
        Some(unsafe { MetadataPage::from_raw(page) })
    }

    fn leaf(&self, index: u32) -> Option<(NonNull<Leaf>, usize)> {
        let (leaf, record) = (index as usize / IN_LEAF, index as usize % IN_LEAF);
        if leaf >= self.leaves {
            return None;
        }
        // SAFETY: as in `donate`, and shared with the table.
        let branch = unsafe { self.root?.as_ref()[leaf / FANOUT]?.as_ref() };
        Some((branch[leaf % FANOUT]?, record))
    }

    /// Record `index`; `None` behind the last.
    pub(super) fn get(&self, index: u32) -> Option<&Record> {
        let (leaf, record) = self.leaf(index)?;
        // SAFETY: a leaf of this table, initialised where it was donated, and borrowed with the table.
        Some(&unsafe { leaf.as_ref() }[record])
    }

    fn get_mut(&mut self, index: u32) -> Option<&mut Record> {
        let (mut leaf, record) = self.leaf(index)?;
        // SAFETY: as above, and the table is borrowed exclusively.
        Some(&mut unsafe { leaf.as_mut() }[record])
    }

    /// Changes a record that the caller has the number of from here.
    pub(super) fn edit(&mut self, index: u32, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.get_mut(index) {
            change(record);
        }
    }

    /// Every record.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        (0..).map_while(|index| self.get(index))
    }

    /// A record to be used; nobody else gets it. It tells of the past until then.
    pub(super) fn take(&mut self) -> Option<u32> {
        let index = self.first?;
        let next = self.get(index)?.next;
        self.first = next;
        if next.is_none() {
            self.last = None;
        }
        self.free -= 1;
        Some(index)
    }

    /// Takes a record back, to be used when all that are free now were.
    pub(super) fn put(&mut self, index: u32) {
        match self.last {
            Some(last) => self.edit(last, |record| record.next = Some(index)),
            None => self.first = Some(index),
        }
        self.edit(index, |record| record.next = None);
        self.last = Some(index);
        self.free += 1;
    }

    /// Makes a record that was taken an object's.
    pub(super) fn begin(&mut self, index: u32, object: Object) -> Tag {
        self.number = Tag::next(self.number);
        let number = self.number;
        self.edit(index, |record| record.begin(Object { number, ..object }));
        Tag::new(number, index)
    }
}

/// Makes `page` one that refers to no other yet.
fn new_pages<T>(page: NonNull<u8>) -> NonNull<Pages<T>> {
    let pages = page.cast::<Pages<T>>();
    // SAFETY: both callers have a whole metadata page to themselves.
    unsafe { pages.write([None; FANOUT]) };
    pages
}
