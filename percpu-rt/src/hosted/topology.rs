//! Which CPU numbers exist, as the kernel tells.

use core::ffi::CStr;

use crate::arch::MAX_CPUS;
use crate::cpu::Bits;
use crate::cpu::list::for_each_range;

/// The CPU numbers that the kernel may ever report to this process.
pub(super) struct Possible {
    /// Those that the offset table has room for; never empty.
    pub(super) cpus: Bits,
    /// Whether these are all.
    pub(super) complete: bool,
}

/// Asks the kernel for its own set, and not for the affinity or quota of a container: `cpu_id` is the host's number.
///
/// Where the file is not to be had, every number below the size of the kernel's CPU masks counts as possible:
/// a unit with the static variables is what each costs.
pub(super) fn possible() -> Possible {
    let mut end = 0;
    let cpus = read_list(c"/sys/devices/system/cpu/possible", |last| end = end.max(last + 1)).unwrap_or_else(|| {
        end = numbers_of_a_mask();
        let mut set = Bits::EMPTY;
        set.insert(0, end - 1);
        set
    });
    Possible { cpus, complete: end <= MAX_CPUS }
}

/// The CPUs that run now; `None` where the kernel does not tell.
pub(crate) fn online() -> Option<Bits> {
    read_list(c"/sys/devices/system/cpu/online", |_| ())
}

/// A set of CPUs (or nodes) from one of the kernel's files; `None` where it is not there or no list. `last_of_range` sees the
/// last number of each range, also of those that a set has no room for.
pub(super) fn read_list(path: &CStr, mut last_of_range: impl FnMut(usize)) -> Option<Bits> {
    let mut buffer = [0; 4096];
    let text = read(path, &mut buffer)?;
    let mut set = Bits::EMPTY;
    for_each_range(text, |first, last| {
        set.insert(first, last);
        last_of_range(last);
    })?;
    set.last()?;
    Some(set)
}

/// Reads a file into `buffer`; `None` where that fails or the file has more.
fn read<'a>(path: &CStr, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    // SAFETY: a C string.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return None;
    }
    let mut length = 0;
    while length < buffer.len() {
        let room = &mut buffer[length..];
        // SAFETY: the file just opened, and the room left in the buffer.
        let got = unsafe { libc::read(file, room.as_mut_ptr().cast(), room.len()) };
        match usize::try_from(got) {
            Ok(0) => break,
            Ok(got) => length += got,
            Err(_) => {
                length = buffer.len();
                break;
            }
        }
    }
    // SAFETY: the file just opened, closed once.
    unsafe { libc::close(file) };
    (length < buffer.len()).then(|| &buffer[..length])
}

/// How many CPU numbers the kernel's masks have room for, and so a bound of the numbers it uses; never 0.
fn numbers_of_a_mask() -> usize {
    let mut mask = [0_u64; MAX_CPUS / 64];
    // SAFETY: the buffer and its size in bytes; 0 is the calling thread. glibc's wrapper would hide the result.
    let bytes = unsafe { libc::syscall(libc::SYS_sched_getaffinity, 0, size_of_val(&mask), mask.as_mut_ptr()) };
    // It fails where the kernel's masks are larger than ours.
    usize::try_from(bytes).ok().filter(|&bytes| bytes != 0).map_or(MAX_CPUS + 1, |bytes| bytes * 8)
}
