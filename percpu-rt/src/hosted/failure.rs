//! The end of a process whose units cannot be set up.

use core::fmt::{self, Write as _};

use super::text::Text;

/// Why the units of this process cannot be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// `PERCPU_UNIT_SIZE` is no number of bytes.
    UnreadableUnitSize,
    /// `PERCPU_UNIT_SIZE` is no multiple of what it has to be one of.
    MisalignedUnitSize { asked: usize, multiple: usize },
    /// `PERCPU_UNIT_SIZE` has no room for the first chunk's part of a unit.
    SmallUnitSize { asked: usize, needed: usize },
    /// The static variables do not fit into any unit.
    Layout(crate::abi::layout::LayoutError),
    /// The kernel grants no reservation of this size.
    Reserve { units: usize, unit_size: usize, errno: i32, limit: Option<u64> },
    /// The loader does not find the shared object that holds this code by the loader's own name for it.
    Pin,
    /// The kernel does not back the first chunk.
    Open { bytes: usize, errno: i32 },
    /// The allocator cannot take the dynamic part of the units over.
    Dynamic(crate::chunk::AllocError),
    /// The C library does not tell of forks.
    Fork { errno: i32 },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnreadableUnitSize => {
                f.write_str("PERCPU_UNIT_SIZE is not a number of bytes; write for example 1048576, 1024K, 64M or 1G")
            }
            Self::MisalignedUnitSize { asked, multiple } => write!(
                f,
                "PERCPU_UNIT_SIZE is {asked}, which is not a multiple of {multiple} (the page size, or the largest alignment of a variable)"
            ),
            Self::SmallUnitSize { asked, needed } => {
                write!(f, "PERCPU_UNIT_SIZE is {asked}, but a unit of this program needs {needed} bytes at the least")
            }
            Self::Layout(error) => write!(f, "the per-CPU variables of this program have no layout: {error}"),
            Self::Reserve { units, unit_size, errno, limit } => {
                write!(f, "cannot reserve address space for {units} units of {unit_size} bytes (errno {errno})")?;
                match limit {
                    Some(limit) => {
                        write!(f, "; the limit on address space (ulimit -v, RLIMIT_AS) is {limit} bytes: raise it")
                    }
                    None => f.write_str("; PERCPU_UNIT_SIZE sets a smaller unit"),
                }
            }
            Self::Pin => f.write_str(
                "the shared object with these per-CPU variables cannot be kept loaded (dlopen with RTLD_NOLOAD and \
                 RTLD_NODELETE fails), and closing it would end the process; link the variables into the program",
            ),
            Self::Open { bytes, errno } => write!(
                f,
                "cannot make {bytes} bytes of a unit writable (errno {errno}); the limits on data (ulimit -d) and on \
                 locked memory (ulimit -l) and the machine's memory apply"
            ),
            Self::Dynamic(error) => write!(f, "the dynamic part of the units cannot be set up: {error}"),
            Self::Fork { errno } => write!(f, "cannot ask to be told of forks (pthread_atfork: error {errno})"),
        }
    }
}

impl Failure {
    /// Says why on standard error and ends the process by `SIGABRT`.
    pub(super) fn abort(self) -> ! {
        let mut line = Text::<512>::new();
        // A line that is too long is cut; there is no better place to say so.
        let _ = writeln!(line, "percpu-rt: {self}");
        let bytes = line.as_bytes();
        // SAFETY: the bytes of the line; and `abort` takes nothing.
        unsafe {
            libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len());
            libc::abort()
        }
    }
}
