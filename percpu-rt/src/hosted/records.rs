//! Pages for the allocator's records.
//!
//! The first ones are the image's own, without file bytes: what is allocated early makes no system call and needs no
//! other allocator. Further ones are mapped in steps. A page that comes back is kept, and but for the first few its memory is not:
//! the addresses of free pages stand in a few of them.

use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};

use super::errno;
use super::mutex::Mutex;
use crate::chunk::{MetadataPage, RawLock};

const PAGE: usize = MetadataPage::SIZE;

/// Pages of the image: as many as what is open from the start can need, so that a burst of atomic allocations is served. Set-up takes
/// a few of them; what nobody takes costs address space.
const FIRST_PAGES: usize = 40;

/// Pages that are mapped at once.
const STEP_PAGES: usize = 16;

/// Free pages that keep their memory.
const KEPT_PAGES: usize = STEP_PAGES;

/// Addresses in one page of them.
const ENTRIES: usize = PAGE / size_of::<usize>() - 2;

/// A free page that says where others are.
#[repr(C)]
struct Index {
    below: *mut Index,
    count: usize,
    pages: [*mut u8; ENTRIES],
}

const _: () = assert!(size_of::<Index>() <= PAGE);

/// The free pages.
struct Pool {
    mutex: Mutex,
    state: UnsafeCell<State>,
}

struct State {
    index: *mut Index,
    /// The indices, and the pages in them.
    free: usize,
    /// The pages of the last step that nobody has had.
    fresh: *mut u8,
    fresh_pages: usize,
}

// SAFETY: the state is reached under the lock alone.
unsafe impl Sync for Pool {}

#[repr(C, align(4096))]
struct First(UnsafeCell<[u8; FIRST_PAGES * PAGE]>);

// SAFETY: the pool alone knows the pages, and gives each to one owner.
unsafe impl Sync for First {}

static FIRST: First = First(UnsafeCell::new([0; FIRST_PAGES * PAGE]));

static POOL: Pool = Pool {
    mutex: Mutex::new(),
    state: UnsafeCell::new(State {
        index: ptr::null_mut(),
        free: 0,
        fresh: FIRST.0.get().cast(),
        fresh_pages: FIRST_PAGES,
    }),
};

/// A page; `None` where the kernel has none, and in a signal handler that has interrupted this.
pub(super) fn take() -> Option<MetadataPage> {
    let page = if is_busy_here() { None } else { POOL.with(State::pop).or_else(map) };
    // SAFETY: a page of the image or of a mapping of ours, which nobody else has.
    page.map(|page| unsafe { MetadataPage::from_raw(page) })
}

/// As [`take`], without a system call for more, and without a wait: whoever is at the pool may be waited for by a handler that waits
/// for the caller.
pub(super) fn take_at_once() -> Option<MetadataPage> {
    let page = POOL.mutex.try_for_a_while().then(|| {
        // SAFETY: the lock is held, and no change calls back.
        let page = unsafe { &mut *POOL.state.get() }.pop();
        // SAFETY: taken in the condition.
        unsafe { POOL.mutex.unlock() };
        page
    });
    // SAFETY: a page of the image or of a mapping of ours, which has just left the pool.
    page.flatten().map(|page| unsafe { MetadataPage::from_raw(page) })
}

/// Takes a page back; not to be called where [`is_busy_here`].
pub(super) fn give_back(page: MetadataPage) {
    let page = page.into_raw().as_ptr();
    if POOL.with(|state| state.free) >= KEPT_PAGES {
        // SAFETY: a page that nobody uses any more. Where this fails, it keeps its memory.
        errno::preserve(|| unsafe { libc::madvise(page.cast(), PAGE, libc::MADV_DONTNEED) });
    }
    POOL.with(|state| state.push(page));
}

/// Whether the calling thread runs a signal handler that has interrupted one of these.
pub(crate) fn is_busy_here() -> bool {
    POOL.mutex.is_held_here()
}

/// To be called before a fork, and [`after_fork`] behind it on both sides.
pub(super) fn before_fork() {
    POOL.mutex.before_fork();
}

pub(super) fn after_fork() {
    POOL.mutex.after_fork();
}

/// Maps a step, and returns one page of it.
#[cold]
fn map() -> Option<NonNull<u8>> {
    // SAFETY: a constant of the system.
    let system_page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(PAGE);
    let bytes = (STEP_PAGES * PAGE).next_multiple_of(system_page);
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address of the kernel's choice.
    let start = errno::preserve(|| unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) });
    if start == libc::MAP_FAILED {
        return None;
    }
    let first = start.cast::<u8>();
    POOL.with(|state| {
        // Another thread may have mapped a step meanwhile.
        while let Some(page) = state.pop_fresh() {
            state.push(page.as_ptr());
        }
        state.fresh = first.wrapping_add(PAGE);
        state.fresh_pages = bytes / PAGE - 1;
    });
    NonNull::new(first)
}

impl Pool {
    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        self.mutex.lock();
        // SAFETY: the lock is held, and no change calls back.
        let result = change(unsafe { &mut *self.state.get() });
        // SAFETY: taken above. Nothing in between unwinds.
        unsafe { self.mutex.unlock() };
        result
    }
}

impl State {
    fn pop_fresh(&mut self) -> Option<NonNull<u8>> {
        self.fresh_pages = self.fresh_pages.checked_sub(1)?;
        let page = self.fresh;
        self.fresh = page.wrapping_add(PAGE);
        NonNull::new(page)
    }

    fn pop(&mut self) -> Option<NonNull<u8>> {
        let Some(index) = NonNull::new(self.index) else { return self.pop_fresh() };
        self.free -= 1;
        // SAFETY: a free page that `push` has made an index.
        let top = unsafe { &mut *index.as_ptr() };
        if top.count > 0 {
            top.count -= 1;
            return NonNull::new(top.pages[top.count]);
        }
        self.index = top.below;
        Some(index.cast())
    }

    fn push(&mut self, page: *mut u8) {
        self.free += 1;
        // SAFETY: null, or a free page that was made an index below.
        match unsafe { self.index.as_mut() } {
            Some(index) if index.count < ENTRIES => {
                index.pages[index.count] = page;
                index.count += 1;
            }
            _ => {
                let index = page.cast::<Index>();
                // SAFETY: a whole page, the pool's alone, aligned as one. The entries are written before they are counted.
                unsafe {
                    (&raw mut (*index).below).write(self.index);
                    (&raw mut (*index).count).write(0);
                }
                self.index = index;
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    extern crate std;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    use super::*;

    /// More than one index has room for.
    const PAGES: usize = 2 * ENTRIES + 100;

    #[test]
    fn pages_are_apart_and_come_again() {
        for _ in 0..2 {
            let pages: Vec<_> = (0..PAGES).map(|_| take().expect("a page").into_raw()).collect();
            assert_eq!(pages.iter().collect::<BTreeSet<_>>().len(), PAGES, "none twice");
            for &start in &pages {
                assert_eq!(start.addr().get() % PAGE, 0);
                // SAFETY: the page is ours.
                unsafe { start.write_bytes(0xa5, PAGE) };
            }
            for start in pages {
                // SAFETY: taken above, whole.
                give_back(unsafe { MetadataPage::from_raw(start) });
            }
        }
    }
}
