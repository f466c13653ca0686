//! The address space of all units: reserved once, opened as it is used.
//!
//! One `PROT_NONE` mapping covers every unit, so neighbouring CPUs' offsets differ by the unit size and CPU numbers that are
//! not possible meet memory that faults. Reserved address space is neither resident, even under `mlockall` by
//! root, nor counted by overcommit; a writable reservation would be both. It does count where the kernel limits address
//! space itself: `ulimit -v`, also one that is set later, and `mlockall` without privileges (`ulimit -l`).
//!
//! Units are far larger than the static variables need: dynamic chunks are ranges of the same units.

use super::failure::Failure;
use crate::abi::hosted;

/// What the reservation is aligned to where the units are large enough: a huge page on most machines.
const HUGE_PAGE: usize = 2 << 20;

/// The reserved units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    /// The first byte of unit 0.
    pub(super) base: *mut u8,
    /// Bytes from one to the next.
    pub(super) size: usize,
}

/// What a unit must have room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// Number of units that are used.
    pub(super) used: usize,
    /// Bytes of the first chunk's part of each.
    pub(super) bytes: usize,
    /// Alignment of each, a power of two and at least a page.
    pub(super) align: usize,
}

impl Need {
    /// Number of units in the reservation.
    fn reserved(self) -> usize {
        // No count of units that a table has room for is changed by the way through 64 bits.
        hosted::reserved_units(self.used as u64) as usize
    }
}

/// Reserves the units: of the size that `PERCPU_UNIT_SIZE` gives, else of the one that the layout record `stated`, else
/// as large as the kernel grants.
pub(super) fn reserve(need: Need, stated: Option<usize>) -> Result<Units, Failure> {
    if let Some(size) = size_from_environment(need)? {
        return try_reserve(need, size).map_err(|errno| failure(need, size, errno));
    }
    // The image may have been laid out where more address space was to be had.
    if let Some(Ok(units)) = stated.map(|size| try_reserve(need, size)) {
        return Ok(units);
    }
    let smallest = hosted::smallest_unit(need.bytes as u64, need.align as u64);
    let smallest = smallest.ok_or(failure(need, need.bytes, libc::ENOMEM))?;
    let mut size = hosted::preferred_unit(need.used as u64, smallest);
    loop {
        // Beyond the address space there is nothing to try.
        let attempt = usize::try_from(size).map_err(|_| libc::ENOMEM).and_then(|size| try_reserve(need, size));
        match (attempt, hosted::next_unit(size, smallest)) {
            (Ok(units), _) => return Ok(units),
            (Err(_), Some(smaller)) => size = smaller,
            (Err(errno), None) => return Err(failure(need, size as usize, errno)),
        }
    }
}

/// Makes the first `bytes` of unit `index` readable and writable; they are zero.
///
/// `bytes` is a page multiple that the unit has room for.
pub(super) fn open(units: Units, index: usize, bytes: usize) -> Result<*mut u8, Failure> {
    let unit = units.base.wrapping_byte_add(index * units.size);
    // SAFETY: pages of our own reservation, which nothing has used yet.
    let result = unsafe { libc::mprotect(unit.cast(), bytes, libc::PROT_READ | libc::PROT_WRITE) };
    if result == 0 { Ok(unit) } else { Err(Failure::Open { bytes, errno: errno() }) }
}

/// Makes opened pages zero, and takes their memory back where the kernel lets it.
///
/// # Safety
///
/// Opened pages of the reservation that nobody uses.
pub(super) unsafe fn discard(start: *mut u8, bytes: usize) {
    /// As `MADV_DONTNEED`, also for locked memory, since Linux 5.18 (include/uapi/asm-generic/mman-common.h).
    const MADV_DONTNEED_LOCKED: libc::c_int = 24;
    // Behind `mlockall` the first is refused. Opening the pages again then backs them at once, as the locker wants it.
    for advice in [libc::MADV_DONTNEED, MADV_DONTNEED_LOCKED] {
        // SAFETY: the caller's pages; private and anonymous, so that they read as zero behind a success.
        if unsafe { libc::madvise(start.cast(), bytes, advice) } == 0 {
            return;
        }
    }
    // SAFETY: the caller's pages.
    unsafe { start.write_bytes(0, bytes) };
}

/// One attempt; fails with the error number.
fn try_reserve(need: Need, size: usize) -> Result<Units, i32> {
    let align = if size < HUGE_PAGE { need.align } else { need.align.max(HUGE_PAGE) };
    let length = need.reserved().checked_mul(size).ok_or(libc::ENOMEM)?;
    let mapped = length.checked_add(align).ok_or(libc::ENOMEM)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at an address of the kernel's choice.
    let start = unsafe { libc::mmap(core::ptr::null_mut(), mapped, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(errno());
    }
    let start = start.cast::<u8>();
    let head = start.addr().wrapping_neg() & (align - 1);
    let base = start.wrapping_byte_add(head);
    let end = base.wrapping_byte_add(length);
    // What was mapped for the alignment's sake goes back. Failure leaves it reserved, which harms nobody.
    for (excess, bytes) in [(start, head), (end, align - head)] {
        if bytes != 0 {
            // SAFETY: the head or the tail of the mapping just made, outside of the units.
            unsafe { libc::munmap(excess.cast(), bytes) };
        }
    }
    Ok(Units { base, size })
}

fn failure(need: Need, unit_size: usize, errno: i32) -> Failure {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the pointer is to a limit to be filled; after a failure it still says that there is none.
    unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
    let limit = (limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur);
    Failure::Reserve { units: need.reserved(), unit_size, errno, limit }
}

fn errno() -> i32 {
    // SAFETY: the thread's own error number.
    unsafe { *libc::__errno_location() }
}

/// `PERCPU_UNIT_SIZE`, checked against what is needed.
fn size_from_environment(need: Need) -> Result<Option<usize>, Failure> {
    // SAFETY: a C string; before `main` nobody changes the environment.
    let value = unsafe { libc::getenv(c"PERCPU_UNIT_SIZE".as_ptr()) };
    if value.is_null() {
        return Ok(None);
    }
    // SAFETY: the environment's strings end with a zero byte and stay as they are while we look.
    let text = unsafe { core::ffi::CStr::from_ptr(value) }.to_bytes();
    let asked = bytes(text).ok_or(Failure::UnreadableUnitSize)?;
    if asked < need.bytes {
        return Err(Failure::SmallUnitSize { asked, needed: need.bytes });
    }
    if !asked.is_multiple_of(need.align) {
        return Err(Failure::MisalignedUnitSize { asked, multiple: need.align });
    }
    Ok(Some(asked))
}

/// A number of bytes, with `K`, `M`, `G` or `T` behind it for their multiples.
fn bytes(text: &[u8]) -> Option<usize> {
    let (digits, shift) = match text.split_last()? {
        (b'K' | b'k', digits) => (digits, 10),
        (b'M' | b'm', digits) => (digits, 20),
        (b'G' | b'g', digits) => (digits, 30),
        (b'T' | b't', digits) => (digits, 40),
        _ => (text, 0),
    };
    crate::cpu::list::number(digits)?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_with_and_without_a_multiple() {
        assert_eq!(bytes(b"4096"), Some(4096));
        assert_eq!(bytes(b"64k"), Some(65536));
        assert_eq!(bytes(b"2M"), Some(2 << 20));
        assert_eq!(bytes(b"1G"), Some(1 << 30));
        assert_eq!(bytes(b"1T"), Some(1 << 40));
        for text in ["", "K", "4x", "-1", "0x1000", "99999999999999999999", "99999999999T"] {
            assert_eq!(bytes(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn units_are_aligned_apart_and_closed() {
        let need = Need { used: 2, bytes: 4096, align: 8192 };
        for size in [8192, 1 << 20, 1 << 22] {
            let units = try_reserve(need, size).expect("a small reservation");
            assert_eq!(units.base.addr() % need.align, 0);
            let unit = open(units, 1, 4096).expect("a page");
            assert_eq!(unit.addr() - units.base.addr(), size);
            // SAFETY: the page that was just opened.
            unsafe {
                assert_eq!(unit.read(), 0);
                unit.write(1);
            }
        }
    }
}
