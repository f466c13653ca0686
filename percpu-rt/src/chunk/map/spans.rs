//! How long the holes are that reach a border between blocks, for every alignment at once: what the [scan](super::scan) has
//! seen of them, so that it looks only where something has grown since, or where a hole was long enough.
//!
//! As [`Holes`] it says at least what there is: of every free run that touches a border, a block is unseen in which it lies, or
//! it is said of one of the children that it reaches into that there is one as long. A look at a child follows the holes
//! that reach into it to where they end. Taking a part of a hole leaves shorter runs, of which that still holds; and a free has its own
//! blocks be unseen, which are in every run that it has made.

use super::holes::{Holes, LANES};
use super::request::Request;
use super::runs::FANOUT;

/// Lengths that are told apart in an octave; below twice as many, all are.
const IN_OCTAVE: u64 = 1 << 10;

/// The longest hole that starts aligned, as [`code`] has it, for each alignment. What is aligned to more than the last is taken for that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spans(Holes);

impl Spans {
    /// No hole.
    pub(super) const NONE: Self = Self(Holes::NONE);

    /// Those of the hole from granule `begin` to granule `end`.
    #[inline]
    pub(super) fn of(begin: u64, end: u64) -> Self {
        if end - begin < 2 * IN_OCTAVE {
            let begin_within = begin % (1 << (LANES - 1));
            return Self(Holes::of(begin_within as u32, (begin_within + end - begin) as u32));
        }
        Self(Holes::by_lane(|lane| code(end.saturating_sub(begin.next_multiple_of(1 << lane)))))
    }

    /// Those of both.
    #[inline]
    pub(super) fn or(self, other: &Self) -> Self {
        Self(self.0.or(other.0))
    }

    /// Whether `request` may fit: it does not where this says so.
    #[inline]
    pub(super) fn may_fit(&self, request: &Request) -> bool {
        self.0.fit(request.lane.min(LANES - 1), code(request.granules) as u32)
    }
}

/// A length in few bits: one that is longer never has the lower code.
#[inline]
fn code(granules: u64) -> i16 {
    let octave = (granules / IN_OCTAVE).max(1).ilog2();
    (u64::from(octave) * IN_OCTAVE + (granules >> octave)).min(i16::MAX as u64) as i16
}

/// What a node has seen of its children.
#[derive(Debug)]
pub(super) struct Sight {
    /// Lane by lane: a search compares one lane of all.
    lanes: [[i16; FANOUT]; LANES],
}

impl Sight {
    /// Children without holes.
    pub(super) const NONE: Self = Self { lanes: [[0; FANOUT]; LANES] };

    /// The children into which a hole reached that is long enough for `request`.
    #[inline]
    pub(super) fn children_for(&self, request: &Request) -> u32 {
        let need = code(request.granules);
        let longest = self.lanes[request.lane.min(LANES - 1)].iter().enumerate();
        longest.fold(0, |children, (index, &longest)| children | u32::from(longest >= need) << index)
    }

    /// What is said of child `index`.
    pub(super) fn seen(&self, index: usize) -> Spans {
        Spans(Holes::by_lane(|lane| self.lanes[lane][index]))
    }

    pub(super) fn set(&mut self, index: usize, Spans(holes): Spans) {
        for (lane, longest) in self.lanes.iter_mut().enumerate() {
            longest[index] = holes.lane(lane);
        }
    }

    /// What is said of all children together.
    pub(super) fn all(&self) -> Spans {
        Spans(Holes::by_lane(|lane| self.lanes[lane].iter().fold(0, |most, &longest| most.max(longest))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::map::holes::GRANULE;

    #[test]
    fn what_fits_is_never_hidden() {
        let lengths = (1..5000).chain((12..40).flat_map(|log| (1_u64 << log) - 3..(1 << log) + 3));
        for length in lengths {
            assert!(code(length) >= code(length - 1), "{length}");
            assert!(length >= 2 * IN_OCTAVE || code(length) > code(length - 1), "{length}");
        }
        for begin in [0, 1, 1000, 1023, 1024, 5000, 1 << 33] {
            for (length, lane) in [(1, 0), (3, 1), (70, 3), (1500, 10), (3000, 10), (40_000, 11), (200_000, 15)] {
                let spans = Spans::of(begin, begin + length);
                let aligned = begin.next_multiple_of(1 << lane);
                let left = (begin + length).saturating_sub(aligned);
                let fits =
                    |granules: u64| spans.may_fit(&Request::new(granules as usize * GRANULE, GRANULE << lane, false));
                assert!(left == 0 || fits(left), "{length} from {begin} on, at {lane}");
                assert!(lane >= LANES || !fits(left + left / IN_OCTAVE + 1), "{length} from {begin} on, at {lane}");
            }
        }
    }
}
