//! The CPUs that there can be.

use super::error::SetupError;
use crate::arch::MAX_CPUS;
use crate::cpu::Bits;

/// A CPU that can ever run: in x86's tables, a local APIC that is enabled or can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PossibleCpu {
    /// The number by which the kernel knows it, counted by itself: dense numbers make small tables.
    pub id: usize,
    /// The NUMA node that its unit is to lie on.
    pub node: u32,
}

/// The set of the CPUs' numbers.
///
/// # Errors
///
/// No CPU, a number that is too large, or one that is there twice.
pub(super) fn set_of(cpus: &[PossibleCpu]) -> Result<Bits, SetupError> {
    if cpus.is_empty() {
        return Err(SetupError::NoCpus);
    }
    let mut set = Bits::EMPTY;
    for &PossibleCpu { id, .. } in cpus {
        if id >= MAX_CPUS {
            return Err(SetupError::CpuOutOfRange { cpu: id, limit: MAX_CPUS });
        }
        if set.contains(id) {
            return Err(SetupError::DuplicateCpu { cpu: id });
        }
        set.insert(id, id);
    }
    Ok(set)
}
