//! Pages of the units, opened and given back in all of them.
//!
//! A page that is not populated is `PROT_NONE`, as the reservation is: it cannot become resident, and an access to what was
//! freed faults.

use core::ops::Range;
use core::sync::atomic::{AtomicU16, Ordering::Relaxed};

use super::memory::Units;
use super::{errno, memory, records};
use crate::arch::MAX_CPUS;
use crate::chunk::{Memory, MetadataPage, Refused};

/// The places in the reservation of the units that are used, ascending: one for each possible CPU, and the orphan's.
pub(super) struct Places([AtomicU16; MAX_CPUS + 1]);

impl Places {
    pub(super) const fn new() -> Self {
        Self([const { AtomicU16::new(0) }; MAX_CPUS + 1])
    }
}

const _: () = assert!(MAX_CPUS <= u16::MAX as usize);

/// The memory of an allocator: the units of this process.
#[derive(Clone, Copy)]
pub(crate) struct Pages {
    units: Units,
    places: &'static Places,
    /// Number of units that are used.
    used: usize,
    /// Whether those are the first ones, so that nothing has to be looked up.
    are_first: bool,
}

// SAFETY: the units are used through the allocator, which gives each part to one owner.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    /// The units that are `used` of the reservation, noted in `places`, which is nobody else's.
    pub(super) fn new(units: Units, places: &'static Places, used: impl Iterator<Item = usize>) -> Self {
        let mut count = 0;
        let mut are_first = true;
        for (place, entry) in used.zip(&places.0) {
            entry.store(place as u16, Relaxed);
            are_first &= place == count;
            count += 1;
        }
        Self { units, places, used: count, are_first }
    }

    /// Bytes from one unit to the next, where they follow each other.
    #[inline(always)]
    #[cfg(has_stock)]
    pub(super) fn distance(&self) -> Option<usize> {
        self.are_first.then_some(self.units.size)
    }

    /// Sets the access to a range in the first `count` units; fails with the number of the unit that refuses.
    fn protect(&self, offsets: &Range<usize>, count: usize, access: libc::c_int) -> Result<(), usize> {
        for unit in 0..count {
            // SAFETY: pages of our own reservation which the allocator has given to nobody.
            if unsafe { libc::mprotect(self.copy(unit, offsets.start).cast(), offsets.len(), access) } != 0 {
                return Err(unit);
            }
        }
        Ok(())
    }
}

// SAFETY: every unit is a part of the reservation of its own, aligned to a page at the least, and stays where it is. Pages of
// a private anonymous mapping are zero at first, and `discard` makes them so again. Record pages are the pool's.
unsafe impl Memory for Pages {
    fn units(&self) -> usize {
        self.used
    }

    #[inline]
    fn copy(&self, unit: usize, offset: usize) -> *mut u8 {
        let place = if self.are_first { unit } else { self.places.0[unit].load(Relaxed).into() };
        self.units.base.wrapping_byte_add(place * self.units.size + offset)
    }

    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused> {
        let open = || self.protect(&offsets, self.used, libc::PROT_READ | libc::PROT_WRITE);
        errno::preserve(|| {
            open().map_err(|refusing| {
                // Where closing is refused too, they stay open, and as zero as they are.
                let _ = self.protect(&offsets, refusing, libc::PROT_NONE);
                Refused
            })
        })
    }

    fn depopulate(&self, offsets: Range<usize>) {
        errno::preserve(|| {
            for unit in 0..self.used {
                // SAFETY: populated pages of our own reservation, which the allocator has taken back.
                unsafe { memory::discard(self.copy(unit, offsets.start), offsets.len()) };
            }
            // A limit on the number of mappings may leave some open: they are zero all the same.
            for unit in 0..self.used {
                // SAFETY: as above.
                unsafe { libc::mprotect(self.copy(unit, offsets.start).cast(), offsets.len(), libc::PROT_NONE) };
            }
        });
    }

    fn metadata(&self) -> Option<MetadataPage> {
        records::take()
    }

    fn metadata_at_once(&self) -> Option<MetadataPage> {
        records::take_at_once()
    }

    fn free_metadata(&self, page: MetadataPage) {
        records::give_back(page);
    }

    fn wait(&self, round: u32) -> bool {
        wait_for_another(round)
    }
}

/// Waits for another thread, which is in some system calls: for long only if it has no CPU. False in the end, after about a
/// second: where a signal handler or a fork has to do with it, the wait may be for itself.
pub(crate) fn wait_for_another(round: u32) -> bool {
    const AT_ONCE: u32 = 32;
    const ROUNDS: u32 = 1000;
    errno::preserve(|| {
        if round < AT_ONCE {
            // SAFETY: no memory is involved.
            unsafe { libc::sched_yield() };
        } else {
            let nap = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
            // SAFETY: the time lives across the call.
            unsafe { libc::nanosleep(&raw const nap, core::ptr::null_mut()) };
        }
    });
    round < ROUNDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosted::memory::Need;

    #[test]
    fn pages_open_zero_and_close_in_every_used_unit() {
        const PAGE: usize = 4096;
        let units = memory::reserve(Need { used: 5, bytes: 1 << 20, align: PAGE }, Some(1 << 20)).expect("5 MiB");
        static PLACES: Places = Places::new();
        static FIRST: Places = Places::new();
        let pages = Pages::new(units, &PLACES, [0, 1, 4].into_iter());
        assert_eq!(pages.units(), 3);
        assert_eq!(Pages::new(units, &FIRST, 0..3).copy(2, 7), units.base.wrapping_byte_add(2 * units.size + 7));
        assert_eq!(pages.copy(2, 7), units.base.wrapping_byte_add(4 * units.size + 7), "the third place is the fifth");
        for _ in 0..2 {
            pages.populate(PAGE..3 * PAGE).expect("two pages");
            for unit in 0..3 {
                for offset in (PAGE..3 * PAGE).step_by(8) {
                    // SAFETY: populated, and this test's alone.
                    unsafe {
                        let word = pages.copy(unit, offset).cast::<u64>();
                        assert_eq!(word.read(), 0);
                        word.write(u64::MAX);
                    }
                }
            }
            pages.depopulate(PAGE..3 * PAGE);
        }
    }
}
