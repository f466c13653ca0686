//! Places of one size that one CPU has in stock, as the backends change them.
//!
//! ```text
//!  ┌─────┬─────┬────────┬───────┬──────────┬──────┬──────┬──────┬─ ─ ─┬──────┐
//!  │ top │ tag │ closed │ count │ capacity │ busy │ at 0 │ at 1 │     │      │
//!  └─────┴─────┴────────┴───────┴──────────┴──────┴──────┴──────┴─ ─ ─┴──────┘
//!    one place at hand    those below it: the last in is the first out
//! ```
//!
//! Most variables are dropped soon after they are made. Such a pair finds its place at the top: what it waits for is that one word
//! from the step before, and not a count, the place that it tells, and the count again.
//!
//! # Rules
//!
//! - `pop`, `push` and `adopt` run as a whole on the copy of their CPU: in restartable sequences whose commit is the store to the
//!   top or to the count (of `adopt`, to the tag), or, where threads of several CPUs may meet in a copy, while `busy` is theirs. Who
//!   finds it busy does without: nobody waits.
//! - The tag says of which size the places are. It becomes another one only while there are none.
//! - Whoever empties a copy from elsewhere closes it and has the CPU restart its sequences: those that follow leave it alone. A
//!   word of its own, so that no sequence that is on its way writes what the emptier has written.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{Place, locate, thread_pointer};
use crate::primitive::{AtomicU32, AtomicUsize};

/// Places of one magazine.
pub(crate) const PLACES: usize = BELOW + 1;

/// Those below the top.
const BELOW: usize = 31;

/// The tag of a magazine that nobody has, and that has nothing. No size is 0.
const NOBODY: u32 = 0;

/// What `pop` answers where there is nothing. No place is 0, or [`NO_PLACE`].
pub(crate) const NOTHING: usize = 0;

/// A number that is no place's: of those the lowest two bits are 0 or 1.
#[cfg(backend = "x86_64")]
pub(super) const NO_PLACE: usize = 2;

/// One CPU's copy; all zero, it is nobody's.
#[repr(C, align(64))]
#[derive(Default)]
pub(crate) struct Magazine {
    /// A place, or [`NOTHING`].
    pub(crate) top: AtomicUsize,
    /// The size of the places, or [`NOBODY`].
    pub(crate) tag: AtomicU32,
    /// 1 while somebody empties it. Behind the tag, so that one look is enough for both.
    pub(crate) closed: AtomicU32,
    /// Places below the top.
    pub(crate) count: AtomicU32,
    /// How many may be there, at the most [`BELOW`].
    pub(crate) capacity: AtomicU32,
    /// Whose it is, where threads take turns: a thread pointer, or 0.
    pub(crate) busy: AtomicUsize,
    pub(crate) below: [AtomicUsize; BELOW],
}

impl Magazine {
    /// The copy at `slot` of the offset table.
    ///
    /// # Safety
    ///
    /// `magazine` is the per-CPU pointer of a magazine that is never freed, and the slot has a unit.
    #[inline]
    pub(crate) unsafe fn copy(magazine: *mut Self, slot: usize) -> &'static Self {
        // SAFETY: the caller's; all zero is a magazine, and its words are atomics.
        unsafe { &*locate(magazine.cast(), slot).cast() }
    }

    /// What `capacity` is where `places` may be in a magazine: the top is beside them.
    pub(crate) fn below_top(places: usize) -> u32 {
        places.clamp(1, PLACES) as u32 - 1
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.top.load(Relaxed) == NOTHING && self.count.load(Relaxed) == 0
    }

    /// Takes the place at the top out, if it is of size `tag`; else [`NOTHING`].
    ///
    /// This and the next ones are the sequences' steps, for whoever has the copy to itself.
    #[inline]
    pub(super) fn pop_top(&self, tag: u32) -> usize {
        if !self.is_open_for(tag) {
            return NOTHING;
        }
        let top = self.top.load(Relaxed);
        self.top.store(NOTHING, Relaxed);
        top
    }

    /// Takes the last place below the top out, if it is of size `tag`; else [`NOTHING`].
    #[inline]
    pub(super) fn pop_below(&self, tag: u32) -> usize {
        if !self.is_open_for(tag) {
            return NOTHING;
        }
        let Some(last) = self.count.load(Relaxed).checked_sub(1) else { return NOTHING };
        let place = self.below[last as usize % BELOW].load(Relaxed);
        self.count.store(last, Relaxed);
        place
    }

    /// Puts a place of size `tag` at the top; false where one is there, or they are of another size.
    #[inline]
    pub(super) fn push_top(&self, tag: u32, place: usize) -> bool {
        let is_free = self.is_open_for(tag) && self.top.load(Relaxed) == NOTHING;
        if is_free {
            self.top.store(place, Relaxed);
        }
        is_free
    }

    /// Puts a place of size `tag` below the top; false where they are of another size, or enough.
    #[inline]
    pub(super) fn push_below(&self, tag: u32, place: usize) -> bool {
        let count = self.count.load(Relaxed);
        if !self.is_open_for(tag) || count >= self.capacity.load(Relaxed) {
            return false;
        }
        self.below[count as usize % BELOW].store(place, Relaxed);
        self.count.store(count + 1, Relaxed);
        true
    }

    /// Takes a place out, if they are of size `tag`; else [`NOTHING`].
    #[inline]
    pub(super) fn pop(&self, tag: u32) -> usize {
        match self.pop_top(tag) {
            NOTHING => self.pop_below(tag),
            place => place,
        }
    }

    /// Puts a place of size `tag` in; false where they are of another size, or enough.
    #[inline]
    pub(super) fn push(&self, tag: u32, place: usize) -> bool {
        self.push_top(tag, place) || self.push_below(tag, place)
    }

    /// Gives the magazine to size `tag`; false where it has places of another one, or is closed.
    #[inline]
    pub(crate) fn adopt(&self, tag: u32) -> bool {
        if self.closed.load(Acquire) != 0 || self.tag.load(Relaxed) != tag && !self.is_empty() {
            return false;
        }
        self.tag.store(tag, Relaxed);
        true
    }

    /// Acquires what was left by the last who has closed it. To sequences on x86-64 that is how loads are.
    #[inline]
    fn is_open_for(&self, tag: u32) -> bool {
        self.closed.load(Acquire) == 0 && self.tag.load(Relaxed) == tag
    }

    /// `step` while `busy` is the caller's, or `otherwise`.
    #[inline]
    pub(crate) fn alone<R>(&self, otherwise: R, step: impl FnOnce(&Self) -> R) -> R {
        if self.busy.compare_exchange(0, thread_pointer(), Acquire, Relaxed).is_err() {
            return otherwise;
        }
        let result = step(self);
        self.busy.store(0, Release);
        result
    }

    /// Takes everything out, to `places`, and leaves the magazine nobody's; the tag and the number of places. For whoever has the
    /// copy to itself.
    pub(crate) fn take_out(&self, places: &mut [usize; PLACES]) -> (u32, usize) {
        let (tag, below) = (self.tag.load(Relaxed), (self.count.load(Relaxed) as usize).min(BELOW));
        for (place, word) in places.iter_mut().zip(&self.below[..below]) {
            *place = word.load(Relaxed);
        }
        places[below] = self.top.load(Relaxed);
        let count = below + usize::from(places[below] != NOTHING);
        // In this order, also to a child that begins in between: places have a size.
        self.top.store(NOTHING, Relaxed);
        self.count.store(0, Release);
        self.tag.store(NOBODY, Release);
        (tag, count)
    }

    /// As [`take_out`](Self::take_out), of a copy whose steps are sequences, which `restart` makes its CPU restart; `None` where
    /// that cannot be.
    ///
    /// One caller at a time.
    pub(crate) fn take_out_of_sequences(
        &self,
        restart: impl FnOnce() -> bool,
        places: &mut [usize; PLACES],
    ) -> Option<(u32, usize)> {
        self.closed.store(1, Relaxed);
        let taken = restart().then(|| self.take_out(places));
        self.open();
        taken
    }

    /// Ends the step of a thread that a forked child does not have. Its place is in the copy or was with the thread.
    pub(crate) fn abandon_steps_of_others(&self) {
        if self.busy.load(Relaxed) != thread_pointer() {
            self.busy.store(0, Release);
        }
    }

    /// Opens what was closed: in whatever state the emptier has left it, each place is in it or with the emptier.
    pub(crate) fn open(&self) {
        // Behind what was taken out, also for the copy's CPU.
        self.closed.store(0, Release);
    }
}

/// The place of the capacity of the magazine at a per-CPU pointer.
pub(crate) struct Capacity(pub(crate) *mut Magazine);

// SAFETY: the address does not change, and whoever uses it has a magazine that is never freed.
unsafe impl Place for Capacity {
    fn address(&self) -> *mut u8 {
        self.0.wrapping_byte_add(core::mem::offset_of!(Magazine, capacity)).cast()
    }
}
