//! Taking another CPU's copy.

use core::fmt;

use super::raw::Place;
use super::steps;
use crate::arch;
use crate::cpu::CpuId;
use crate::platform;

/// Why another CPU's copy of a lock cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockOnError {
    /// The kernel cannot make a CPU restart its sequences: Linux before 5.10, or a sandbox that forbids `membarrier`,
    /// also one that was entered since. Always where this crate is part of a kernel.
    Unsupported,
}

impl fmt::Display for LockOnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported if cfg!(platform = "kernel") => {
                f.write_str("a kernel locks another CPU's copy on that CPU")
            }
            Self::Unsupported => f.write_str("the kernel does not support membarrier with restartable sequences"),
        }
    }
}

impl core::error::Error for LockOnError {}

/// Takes `cpu`'s copy, after sleeping for as long as it is not free.
///
/// # Panics
///
/// As [`Place::acquire_slowly`].
pub(super) fn claim(place: Place, cpu: CpuId) -> Result<(), LockOnError> {
    // The orphan's copy is changed by atomics alone, which cannot overwrite a claim.
    let expels = arch::FAST_PATH_IS_PLAIN && !cpu.is_orphan();
    if expels && !platform::can_restart_sequences() {
        return Err(LockOnError::Unsupported);
    }
    let restart = || !expels || platform::restart_sequences(cpu);
    if steps::claim(&place, place.words(cpu.index()), restart) { Ok(()) } else { Err(LockOnError::Unsupported) }
}
