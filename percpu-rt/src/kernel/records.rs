//! Pages for the allocator's records: the image's first, then the provider's. What comes back is kept.

use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};

use super::memory::PageMemory;
use super::mutex::Mutex;
use crate::chunk::{MetadataPage, RawLock};

const PAGE: usize = MetadataPage::SIZE;

/// Pages of the image: for the first chunk and what comes before the kernel has a provider of pages.
const FIRST_PAGES: usize = 16;

struct Pool {
    mutex: Mutex,
    state: UnsafeCell<State>,
}

struct State {
    /// Free pages, each with the address of the next in it.
    free: *mut *mut u8,
    /// Pages of the image that nobody has had.
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
    state: UnsafeCell::new(State { free: ptr::null_mut(), fresh: FIRST.0.get().cast(), fresh_pages: FIRST_PAGES }),
};

/// A page that is there; `None` where none is, and for what has interrupted this.
pub(super) fn take_at_once() -> Option<MetadataPage> {
    if is_busy_here() {
        return None;
    }
    let page = POOL.with(|state| {
        if let Some(page) = NonNull::new(state.free) {
            // SAFETY: a free page, in which `give_back` has written the next.
            state.free = unsafe { page.read() }.cast();
            return Some(page.cast());
        }
        state.fresh_pages = state.fresh_pages.checked_sub(1)?;
        let page = state.fresh;
        state.fresh = page.wrapping_add(PAGE);
        NonNull::new(page)
    })?;
    // SAFETY: a page of the image or of the provider's, which has just left the pool.
    Some(unsafe { MetadataPage::from_raw(page) })
}

/// A page of the provider's.
pub(super) fn new(memory: &dyn PageMemory) -> Option<MetadataPage> {
    let page = memory.reserve(PAGE, PAGE)?;
    if !memory.back(0, page) {
        memory.release(page, PAGE);
        return None;
    }
    // SAFETY: address space that was just reserved, and is backed now.
    Some(unsafe { MetadataPage::from_raw(page) })
}

/// Takes a page back; not to be called where [`is_busy_here`].
pub(super) fn give_back(page: MetadataPage) {
    let page = page.into_raw().cast::<*mut u8>();
    POOL.with(|state| {
        // SAFETY: a whole page that is the pool's from here on.
        unsafe { page.write(state.free.cast()) };
        state.free = page.as_ptr();
    });
}

/// Whether this has interrupted one of these on this CPU.
pub(crate) fn is_busy_here() -> bool {
    POOL.mutex.is_held_here()
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
