//! Units of any number and size for an allocator, and what becomes of their pages.

use std::alloc::Layout;
use std::cell::Cell;
use std::num::NonZero;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use percpu_rt::chunk::{Memory, MetadataPage, Refused};

thread_local! {
    /// Calls for pages that still succeed on this thread; `None` for all.
    static GRANTED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// What is done to pages, beside counting them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// Nothing: they are backed and zero from the start, and only a user of the units changes that.
    Counted,
    /// They are zeroed when they are populated, and the ticks of that counted.
    Zeroed,
    /// They are filled with garbage when they are given back, and zeroed when they are populated; both are checked.
    Checked,
}

/// Anonymous memory as the units of some CPUs.
#[derive(Debug)]
pub struct Units {
    base: NonNull<u8>,
    units: usize,
    unit_size: usize,
    /// From one unit to the next.
    distance: usize,
    page_size: usize,
    pages: Pages,
    /// Whether each page of a unit is populated.
    populated: Mutex<Vec<bool>>,
    chunk: Option<NonZero<usize>>,
    /// Where the offsets begin that are handed out on demand, and by what factor each further end is.
    steps: Option<(usize, usize)>,
    /// Behind the last of the offsets that were handed out on demand.
    grown: AtomicUsize,
    /// Chunks that came back.
    spare: Mutex<Vec<Range<usize>>>,
    metadata: AtomicUsize,
    /// Metadata pages that came back: the next allocator does not have to wait for the kernel.
    records: Mutex<Vec<MetadataPage>>,
    /// The end of the highest page that was ever populated.
    reached: AtomicUsize,
    /// Ticks spent on populating, by the clock that `ticks_in_pages` was given.
    ticks: Cell<u64>,
    clock: Cell<Option<fn() -> u64>>,
}

// SAFETY: the memory is used through the allocator, which gives each part to one owner.
unsafe impl Send for Units {}
// SAFETY: as above.
unsafe impl Sync for Units {}

/// What a page holds that has been given back.
const GARBAGE: u8 = 0xdd;

impl Units {
    /// `units` units of `unit_size` bytes, in pages of `page_size`.
    ///
    /// # Panics
    ///
    /// Where the machine does not have the address space.
    #[must_use]
    pub fn new(units: usize, unit_size: usize, page_size: usize, pages: Pages) -> Self {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // A page apart, as a process has them: otherwise some processors take all copies of a variable for one.
        let distance = unit_size + page_size;
        let bytes = units * distance;
        // SAFETY: a new mapping, at an address of the kernel's choice.
        let base = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes + page_size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        assert!(base != libc::MAP_FAILED, "no address space for {units} units of {unit_size} bytes");
        let base = base.cast::<u8>();
        // Aligned to a page as it is meant here; what is in front of it stays unused.
        let base = base.wrapping_add(base.align_offset(page_size));
        Self {
            base: NonNull::new(base).expect("a mapping"),
            units,
            unit_size,
            distance,
            page_size,
            pages,
            populated: Mutex::new(vec![false; unit_size / page_size]),
            chunk: None,
            steps: None,
            grown: AtomicUsize::new(0),
            spare: Mutex::new(Vec::new()),
            metadata: AtomicUsize::new(0),
            records: Mutex::new(Vec::new()),
            reached: AtomicUsize::new(0),
            ticks: Cell::new(0),
            clock: Cell::new(None),
        }
    }

    /// What is done to pages.
    pub fn pages(&self) -> Pages {
        self.pages
    }

    /// The end of the highest page that was ever populated.
    pub fn reached(&self) -> usize {
        self.reached.load(Relaxed)
    }

    /// Zeroes all that was ever populated, for another allocator.
    pub fn clear(&self) {
        for unit in 0..self.units {
            // SAFETY: within the mapping; the caller has no allocator of it now.
            unsafe { self.copy(unit, 0).write_bytes(0, self.reached()) };
        }
    }

    /// Gives out all chunks once more, to another allocator.
    ///
    /// # Panics
    ///
    /// After a panic on another thread.
    pub fn restart(&self) {
        self.grown.store(self.steps.map_or(0, |(first, _)| first), Relaxed);
        self.spare.lock().expect("no panic").clear();
    }

    /// Ticks of `clock` that populating has taken since the first call.
    #[inline]
    pub fn ticks_in_pages(&self, clock: fn() -> u64) -> u64 {
        self.clock.set(Some(clock));
        self.ticks.get()
    }

    /// The same, given out in chunks of `chunk` bytes, each with a page behind it that is nobody's.
    ///
    /// # Panics
    ///
    /// Where `chunk` is 0.
    #[must_use]
    pub fn in_chunks(mut self, chunk: usize) -> Self {
        self.chunk = Some(NonZero::new(chunk).expect("a size"));
        self
    }

    /// The same, of which what lies behind `first` is given out on demand, at each time up to `factor` times as far: as a process has them.
    #[must_use]
    pub fn in_steps(mut self, first: usize, factor: usize) -> Self {
        self.steps = Some((first, factor));
        self.restart();
        self
    }

    /// The next offsets, of [`in_steps`](Self::in_steps), with room for `size` bytes.
    fn step(&self, factor: usize, size: usize) -> Option<Range<usize>> {
        let begin = self.grown.load(Relaxed);
        let needed = begin.checked_add(size)?.checked_next_multiple_of(self.page_size)? + self.page_size;
        let end = (begin * factor).max(needed).min(self.unit_size);
        if end - begin < size.max(1) || !Self::granted() {
            return None;
        }
        self.grown.compare_exchange(begin, end, Relaxed, Relaxed).ok()?;
        Some(begin..end)
    }

    /// Backs the first `bytes` of every unit by touching them.
    pub fn prefault(&self, bytes: usize) {
        for unit in 0..self.units {
            for offset in (0..bytes.min(self.unit_size)).step_by(4096) {
                // SAFETY: within the mapping, which is readable and writable; nobody uses it yet.
                unsafe { self.copy(unit, offset).write_volatile(0) };
            }
        }
    }

    /// Lets `calls` more calls for pages, of units or of records, succeed on this thread, or all.
    pub fn grant(calls: Option<usize>) {
        GRANTED.set(calls);
    }

    /// Pages of the machine, of all units, that were ever written to or read.
    ///
    /// # Panics
    ///
    /// Where the kernel does not tell.
    #[must_use]
    pub fn touched_pages(&self) -> usize {
        let bytes = self.units * self.distance;
        let mut resident = vec![0_u8; bytes.div_ceil(4096)];
        // SAFETY: asks about the mapping, and writes a byte for each page of it.
        let status = unsafe { libc::mincore(self.base.as_ptr().cast(), bytes, resident.as_mut_ptr()) };
        assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
        resident.iter().filter(|page| **page & 1 != 0).count()
    }

    /// Makes the pages at `offsets` of unit `unit` read-only or writable again: with a write to one that is read-only, the
    /// process ends.
    ///
    /// # Panics
    ///
    /// Where the kernel does not do it.
    pub fn protect(&self, unit: usize, offsets: Range<usize>, writable: bool) {
        let protection = if writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        // SAFETY: pages of the mapping, which stay readable.
        let status = unsafe { libc::mprotect(self.copy(unit, offsets.start).cast(), offsets.len(), protection) };
        assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
    }

    /// Metadata pages that the allocator has.
    pub fn metadata_pages(&self) -> usize {
        self.metadata.load(Relaxed)
    }

    /// Populated pages of a unit, where they are [`Pages::Checked`].
    ///
    /// # Panics
    ///
    /// After a panic on another thread.
    pub fn populated_pages(&self) -> usize {
        self.populated.lock().expect("no panic").iter().filter(|populated| **populated).count()
    }

    /// The populated pages, where they are [`Pages::Checked`], as runs of offsets.
    ///
    /// # Panics
    ///
    /// After a panic on another thread.
    pub fn populated_runs(&self) -> Vec<Range<usize>> {
        let populated = self.populated.lock().expect("no panic");
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (page, _) in populated.iter().enumerate().filter(|(_, populated)| **populated) {
            let offsets = page * self.page_size..(page + 1) * self.page_size;
            match runs.last_mut() {
                Some(run) if run.end == offsets.start => run.end = offsets.end,
                _ => runs.push(offsets),
            }
        }
        runs
    }

    fn granted() -> bool {
        GRANTED.get().is_none_or(|calls| {
            GRANTED.set(Some(calls.saturating_sub(1)));
            calls > 0
        })
    }

    /// Notes that pages change, each of which was not `to` before.
    fn change(&self, offsets: &Range<usize>, to: bool, fill: u8) {
        assert!(offsets.start.is_multiple_of(self.page_size) && offsets.end.is_multiple_of(self.page_size));
        let mut populated = self.populated.lock().expect("no panic");
        for page in offsets.start / self.page_size..offsets.end / self.page_size {
            assert_ne!(populated[page], to, "page {page} changes to what it is");
            populated[page] = to;
        }
        for unit in 0..self.units {
            // SAFETY: pages of the mapping that the allocator has given to nobody.
            unsafe { self.copy(unit, offsets.start).write_bytes(fill, offsets.len()) };
        }
    }
}

/// A metadata page.
const METADATA: Layout = match Layout::from_size_align(MetadataPage::SIZE, MetadataPage::SIZE) {
    Ok(layout) => layout,
    Err(_) => panic!("a page"),
};

fn free_records(page: MetadataPage) {
    // SAFETY: every page has come from `metadata`, and this one is whole again.
    unsafe { std::alloc::dealloc(page.into_raw().as_ptr(), METADATA) };
}

impl Drop for Units {
    fn drop(&mut self) {
        self.records.get_mut().expect("no panic").drain(..).for_each(free_records);
        // SAFETY: the mapping made in `new`, but for its last page, which may not be whole.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.units * self.distance) };
    }
}

// SAFETY: the mapping is this value's alone, and every byte of a unit has one address. Pages are zero where they come
// from the kernel, and `Checked` zeroes them again; with `Counted` only those who ask for it write to them. Metadata
// pages come from the heap, one for each call.
unsafe impl Memory for Units {
    fn units(&self) -> usize {
        self.units
    }

    #[inline]
    fn copy(&self, unit: usize, offset: usize) -> *mut u8 {
        debug_assert!(unit < self.units && offset < self.unit_size);
        self.base.as_ptr().wrapping_add(unit * self.distance + offset)
    }

    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused> {
        if !Self::granted() {
            return Err(Refused);
        }
        self.reached.fetch_max(offsets.end, Relaxed);
        match self.pages {
            Pages::Counted => {}
            Pages::Zeroed => {
                let start = self.clock.get().map(|clock| clock());
                for unit in 0..self.units {
                    // SAFETY: pages of the mapping that the allocator has given to nobody.
                    unsafe { self.copy(unit, offsets.start).write_bytes(0, offsets.len()) };
                }
                if let (Some(clock), Some(start)) = (self.clock.get(), start) {
                    self.ticks.set(self.ticks.get() + clock() - start);
                }
            }
            Pages::Checked => self.change(&offsets, true, 0),
        }
        Ok(())
    }

    fn depopulate(&self, offsets: Range<usize>) {
        if self.pages == Pages::Checked {
            self.change(&offsets, false, GARBAGE);
        }
    }

    fn metadata(&self) -> Option<MetadataPage> {
        if !Self::granted() {
            return None;
        }
        self.metadata.fetch_add(1, Relaxed);
        if let Some(page) = self.records.lock().expect("no panic").pop() {
            return Some(page);
        }
        // SAFETY: the layout has a size.
        let page = NonNull::new(unsafe { std::alloc::alloc(METADATA) })?;
        // SAFETY: just allocated, as large and aligned as it has to be.
        Some(unsafe { MetadataPage::from_raw(page) })
    }

    fn metadata_at_once(&self) -> Option<MetadataPage> {
        self.metadata()
    }

    fn free_metadata(&self, page: MetadataPage) {
        self.metadata.fetch_sub(1, Relaxed);
        // Where mistakes are looked for, a sanitizer has to see that nobody uses it any more.
        if self.pages == Pages::Checked {
            free_records(page);
        } else {
            self.records.lock().expect("no panic").push(page);
        }
    }

    fn grow(&self, size: usize) -> Option<Range<usize>> {
        if let Some((_, factor)) = self.steps {
            return self.step(factor, size);
        }
        let chunk = self.chunk?.get();
        if size > chunk {
            return None;
        }
        if let Some(chunk) = self.spare.lock().expect("no panic").pop() {
            return Some(chunk);
        }
        let begin = self.grown.load(Relaxed);
        let end = begin + chunk;
        let next = end + self.page_size;
        if end > self.unit_size || !Self::granted() {
            return None;
        }
        self.grown.compare_exchange(begin, next, Relaxed, Relaxed).ok()?;
        Some(begin..end)
    }

    fn shrink(&self, chunk: Range<usize>) {
        if self.steps.is_some() {
            // It was the last, since they are given out to one thread at a time.
            self.grown.store(chunk.start, Relaxed);
            return;
        }
        self.spare.lock().expect("no panic").push(chunk);
    }
}
