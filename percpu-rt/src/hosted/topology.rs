//! Which CPU numbers exist, as the kernel tells.

use core::ffi::CStr;

use crate::cpu::Bits;
use crate::cpu::list::for_each_range;

/// The CPU numbers that the kernel may ever report to this process.
///
/// The kernel's own set, and not the affinity or quota of a container: `cpu_id` is the host's number. Where the file is not to
/// be had, every number below the size of the kernel's CPU masks counts as possible: address space is all
/// that costs.
pub(super) fn possible() -> Bits {
    read_list(c"/sys/devices/system/cpu/possible").unwrap_or_else(all_that_fit_the_mask)
}

/// The CPUs that run now; `None` where the kernel does not tell.
pub(crate) fn online() -> Option<Bits> {
    read_list(c"/sys/devices/system/cpu/online")
}

/// A set of CPUs from one of the kernel's files; `None` where it is not there, empty or no list.
fn read_list(path: &CStr) -> Option<Bits> {
    let mut buffer = [0; 4096];
    let text = read(path, &mut buffer)?;
    let mut set = Bits::EMPTY;
    for_each_range(text, |first, last| {
        // Numbers beyond the table are left out by `insert`; there is no need to walk to the end of a huge range.
        for cpu in first..=last.min(crate::arch::MAX_CPUS) {
            set.insert(cpu);
        }
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

fn all_that_fit_the_mask() -> Bits {
    let mut mask = [0_u64; crate::arch::MAX_CPUS / 64];
    // SAFETY: the buffer and its size in bytes; 0 is the calling thread. glibc's wrapper would hide the result.
    let bytes = unsafe { libc::syscall(libc::SYS_sched_getaffinity, 0, size_of_val(&mask), mask.as_mut_ptr()) };
    let numbers =
        usize::try_from(bytes).ok().filter(|&bytes| bytes != 0).map_or(crate::arch::MAX_CPUS, |bytes| bytes * 8);
    let mut set = Bits::EMPTY;
    for cpu in 0..numbers {
        set.insert(cpu);
    }
    set
}
