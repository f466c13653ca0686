//! Which granules of a block are taken, and where objects begin.
//!
//! ```text
//!  granule   0 1 2 3 4 5 6 7 8 9 …
//!  used      1 1 1 1 1 0 0 1 1 0 …      objects at 0 (2 granules), 2 (3 granules), 7 (2 granules)
//!  start     1 0 1 0 0 0 0 1 0 0 …
//! ```
//!
//! An object ends before the next start or the next free granule. So a free names only the start, and one that names
//! anything else is found out.

#[cfg(test)]
mod tests;

use super::holes::{GRANULES, Holes};
use super::request::Entry;

const WORDS: usize = GRANULES as usize / 64;

/// The granules of one block.
#[derive(Debug)]
pub(super) struct Bits {
    used: [u64; WORDS],
    start: [u64; WORDS],
    /// The words of `used` that have free granules, the first in the lowest bit.
    open: u32,
}

/// What stands at a granule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum At {
    Free,
    Start,
    Inside,
}

impl Bits {
    /// Nothing taken.
    pub(super) const EMPTY: Self = Self { used: [0; WORDS], start: [0; WORDS], open: (1 << WORDS) - 1 };

    /// Where in `word` runs of `need` granules begin, up to 64.
    ///
    /// By halves: bit `n` of `runs` says that the granules from `n` on are free, as many as `have`.
    #[inline]
    fn begins(&self, word: usize, need: u32) -> u64 {
        let next = self.used.get(word + 1).map_or(0, |used| !used);
        let mut runs = u128::from(!self.used[word]) | u128::from(next) << 64;
        let mut have = 1;
        while have < need {
            let more = have.min(need - have);
            // The shift is below 64, which the compiler is to know.
            runs &= runs >> (more % 64);
            have += more;
        }
        runs as u64
    }

    /// The lowest granule at or behind `from` from which `need` are free, more than 64, at a multiple of `1 << lane`.
    ///
    /// So long a run goes on from one word to the next: of a word's runs only the first and the last matter, and the CPU has not to guess
    /// how many there are.
    fn find_long(&self, from: u32, need: u32, lane: usize) -> Option<u32> {
        let mask = (1 << lane) - 1;
        let mut begin = from;
        let mut ignored = !0 << (from % 64);
        for word in from / 64..WORDS as u32 {
            let used = self.used[word as usize] & ignored;
            ignored = !0;
            let aligned = (begin + mask) & !mask;
            if aligned + need <= word * 64 + used.trailing_zeros() {
                return Some(aligned);
            }
            begin = if used == 0 { begin } else { word * 64 + 64 - used.leading_zeros() };
        }
        None
    }

    /// Takes runs of `need` granules at multiples of `1 << lane`, the lowest first, as many as there are places in `entries`: `entry`
    /// makes what is put there of where one begins. Returns how many.
    #[inline]
    pub(super) fn take_many(
        &mut self,
        need: u32,
        lane: usize,
        entries: &mut [Entry],
        entry: impl Fn(u32) -> Entry,
    ) -> usize {
        if need > 64 { self.take_long(need, lane, entries, entry) } else { self.take_short(need, lane, entries, entry) }
    }

    /// As [`take_many`](Self::take_many), of runs up to 64.
    #[inline]
    fn take_short(&mut self, need: u32, lane: usize, entries: &mut [Entry], entry: impl Fn(u32) -> Entry) -> usize {
        // Multiples of more than a word are in some words only.
        let (within, of_words) = (WITHIN[lane.min(6)], WITHIN[lane.saturating_sub(6)] as u32);
        let run = !0_u64 >> (64 - need);
        let mut count = 0;
        let mut words = self.open & of_words;
        while words != 0 && count < entries.len() {
            let word = words.trailing_zeros();
            words &= words - 1;
            let at = word as usize % WORDS;
            let mut begins = self.begins(at, need) & within;
            if begins == 0 {
                continue;
            }
            let (mut taken, mut starts, mut last) = (0, 0, 0);
            for place in &mut entries[count..] {
                last = begins.trailing_zeros();
                *place = entry(word * 64 + last);
                count += 1;
                starts |= begins & begins.wrapping_neg();
                taken |= run << last;
                // What overlaps a run is no begin any more.
                begins &= !taken;
                if begins == 0 {
                    break;
                }
            }
            self.start[at] |= starts;
            self.mark(at, taken);
            if last + need > 64 {
                self.mark(at + 1, run >> (64 - last));
            }
        }
        count
    }

    /// Marks granules of a word as taken.
    #[inline]
    fn mark(&mut self, word: usize, granules: u64) {
        self.used[word] |= granules;
        self.open &= !(u32::from(self.used[word] == !0) << word);
    }

    /// As [`take_many`](Self::take_many), of longer ones.
    fn take_long(&mut self, need: u32, lane: usize, entries: &mut [Entry], entry: impl Fn(u32) -> Entry) -> usize {
        let (mut count, mut from) = (0, 0);
        for place in entries {
            let Some(begin) = self.find_long(from, need, lane) else { break };
            from = begin + need;
            self.take(begin, from, true);
            *place = entry(begin);
            count += 1;
        }
        count
    }

    /// Takes the granules from `begin` to `end`; `starts` says whether an object begins here, or goes on from the
    /// block before.
    #[inline]
    pub(super) fn take(&mut self, begin: u32, end: u32, starts: bool) {
        for_words(begin, end, |word, mask| {
            debug_assert_eq!(self.used[word] & mask, 0);
            self.mark(word, mask);
        });
        if starts {
            self.start[begin as usize / 64] |= 1 << (begin % 64);
        }
    }

    /// Frees the granules from `begin` to `end`, the part of one object that lies in this block.
    #[inline]
    pub(super) fn release(&mut self, begin: u32, end: u32) {
        for_words(begin, end, |word, mask| {
            self.used[word] &= !mask;
            self.open |= 1 << word;
        });
        self.start[begin as usize / 64] &= !(1 << (begin % 64));
    }

    /// Frees the object of `need` granules at `begin`, which does not end with the block; false, and nothing has changed, where there
    /// is none.
    #[inline]
    pub(super) fn release_object(&mut self, begin: u32, need: u32) -> bool {
        let (word, bit) = (begin as usize / 64, begin % 64);
        if bit + need >= 64 {
            let is_object = self.at(begin) == At::Start && self.end_of_object(begin) == begin + need;
            if is_object {
                self.release(begin, begin + need);
            }
            return is_object;
        }
        // It and the granule behind it are in one word.
        let (used, start) = (self.used[word], self.start[word]);
        let (granules, first) = (((1 << need) - 1) << bit, 1 << bit);
        let ends = (start | !used) >> (bit + need) & 1 != 0;
        let is_object = ends && used & granules == granules && start & granules == first;
        if is_object {
            self.used[word] = used & !granules;
            self.open |= 1 << word;
            self.start[word] = start & !first;
        }
        is_object
    }

    /// Frees objects of `need` granules, which begin at offset `base` and up to `last` granules behind it, from the first of `places`
    /// on, up to the first where none does. Returns how many, and the begin of the last.
    #[inline]
    pub(super) fn release_objects(&mut self, places: &[Entry], base: usize, need: u32, last: u32) -> (usize, u32) {
        let (mut count, mut at) = (0, 0);
        for place in places {
            let begin = place.granules_from(base);
            if begin > u64::from(last) || !self.release_object(begin as u32, need) {
                break;
            }
            at = begin as u32;
            count += 1;
        }
        (count, at)
    }

    /// As [`release_objects`](Self::release_objects), and returns the free runs that they are in.
    #[inline(never)]
    pub(super) fn release_and_count(&mut self, places: &[Entry], base: usize, need: u32, last: u32) -> (usize, Holes) {
        let (mut count, mut holes) = (0, Holes::NONE);
        for place in places.chunks(1) {
            let (1, begin) = self.release_objects(place, base, need, last) else { break };
            let (begin, end) = self.hole_around(begin, begin + need);
            holes = holes.or(Holes::of(begin, end));
            count += 1;
        }
        (count, holes)
    }

    /// What stands at `granule`.
    #[inline]
    pub(super) fn at(&self, granule: u32) -> At {
        let (word, bit) = (granule as usize / 64, 1 << (granule % 64));
        match (self.used[word] & bit != 0, self.start[word] & bit != 0) {
            (false, _) => At::Free,
            (true, true) => At::Start,
            (true, false) => At::Inside,
        }
    }

    /// Where the object ends that has granule `begin`; the block's end if it may go on in the next.
    #[inline]
    pub(super) fn end_of_object(&self, begin: u32) -> u32 {
        find_set(begin + 1, |word| self.start[word] | !self.used[word])
    }

    /// The free run around the granules from `begin` to `end`, which are free.
    #[inline]
    pub(super) fn hole_around(&self, begin: u32, end: u32) -> (u32, u32) {
        (self.after_used_before(begin), self.next_used(end))
    }

    /// Whether the first granule is free or the last.
    #[inline]
    pub(super) fn reaches_border(&self) -> bool {
        self.used[0] & 1 == 0 || self.used[WORDS - 1] >> 63 == 0
    }

    /// The words that are said to have free granules, and those that have.
    #[cfg(test)]
    pub(super) fn open(&self) -> [u32; 2] {
        let has_free = |word: &usize| self.used[*word] != !0;
        [self.open, (0..WORDS).filter(has_free).fold(0, |open, word| open | 1 << word)]
    }

    /// The first granule at or behind `from` that is free, or the block's end.
    #[cfg(test)]
    pub(super) fn next_free(&self, from: u32) -> u32 {
        find_set(from, |word| !self.used[word])
    }

    /// The first granule at or behind `from` that is taken, or the block's end.
    #[inline]
    pub(super) fn next_used(&self, from: u32) -> u32 {
        find_set(from, |word| self.used[word])
    }

    /// The granule behind the last that is taken before `before`.
    #[inline]
    fn after_used_before(&self, before: u32) -> u32 {
        find_set_below(before, |word| self.used[word])
    }

    /// The longest free runs. They are not longer than `most`, and counting ends where they are as long. It begins at the
    /// block's end: the lowest places are taken first, so the longest run is there.
    #[inline]
    pub(super) fn holes(&self, most: &Holes) -> Holes {
        let mut holes = Holes::NONE;
        let mut end = GRANULES;
        loop {
            end = find_set_below(end, |word| !self.used[word]);
            if end == 0 {
                return holes;
            }
            let begin = self.after_used_before(end);
            holes = holes.or(Holes::of(begin, end));
            if holes == *most {
                return holes;
            }
            end = begin;
        }
    }
}

/// The multiples of `1 << n`, as bits of a word.
const WITHIN: [u64; 7] = [
    !0,
    0x5555_5555_5555_5555,
    0x1111_1111_1111_1111,
    0x0101_0101_0101_0101,
    0x0001_0001_0001_0001,
    0x0000_0001_0000_0001,
    1,
];

/// Calls `each` with every word that has granules from `begin` to `end`, and the mask of those.
#[inline]
fn for_words(begin: u32, end: u32, mut each: impl FnMut(usize, u64)) {
    let (first, last) = (begin as usize / 64, (end - 1) as usize / 64);
    let (head, tail) = (!0_u64 << (begin % 64), !0_u64 >> (63 - (end - 1) % 64));
    if first == last {
        return each(first, head & tail);
    }
    each(first, head);
    for word in first + 1..last {
        each(word, !0);
    }
    each(last, tail);
}

/// The first granule at or behind `from` whose bit is set in what `words` tells, or the block's end.
#[inline]
fn find_set(from: u32, words: impl Fn(usize) -> u64) -> u32 {
    let mut word = from as usize / 64;
    if word >= WORDS {
        return GRANULES;
    }
    let mut found = words(word) & !0 << (from % 64);
    while found == 0 {
        word += 1;
        if word == WORDS {
            return GRANULES;
        }
        found = words(word);
    }
    word as u32 * 64 + found.trailing_zeros()
}

/// The granule behind the last one before `before` whose bit is set in what `words` tells, or 0.
#[inline]
fn find_set_below(before: u32, words: impl Fn(usize) -> u64) -> u32 {
    let mut word = before as usize / 64;
    let below = (1_u64 << (before % 64)) - 1;
    let mut found = if word < WORDS { words(word) & below } else { 0 };
    while found == 0 {
        if word == 0 {
            return 0;
        }
        word -= 1;
        found = words(word);
    }
    word as u32 * 64 + 64 - found.leading_zeros()
}
