//! Units on their CPUs' NUMA nodes.
//!
//! A policy on the address space of a unit, set before its first page exists. It is a preference: where it
//! cannot be had, or the kernel tells nothing, the memory comes from wherever the kernel takes it.

use core::fmt::Write as _;

use super::text::Text;
use super::topology::read_list;

/// Prefer this node, and others when it is full (include/uapi/linux/mempolicy.h).
const MPOL_PREFERRED: libc::c_int = 1;

/// Nodes that a mask has room for; the kernel's largest number is 1024.
const MAX_NODES: usize = 1024;

/// Sets the policy of every unit of a CPU whose node is known; `unit` tells a CPU's unit and its size.
///
/// Does nothing on a machine of one node.
pub(super) fn place(unit: impl Fn(usize) -> (*mut u8, usize)) {
    let Some(nodes) = read_list(c"/sys/devices/system/node/has_cpu", |_| ()) else { return };
    if nodes.iter().count() < 2 {
        return;
    }
    for node in nodes.iter() {
        let mut path = Text::<64>::new();
        if write!(path, "/sys/devices/system/node/node{node}/cpulist").is_err() {
            return;
        }
        let Some(cpus) = read_list(path.as_c_str(), |_| ()) else { continue };
        for cpu in cpus.iter() {
            let (start, bytes) = unit(cpu);
            prefer(start, bytes, node);
        }
    }
}

/// Asks for the pages of a range to be taken from `node`.
fn prefer(start: *mut u8, bytes: usize, node: usize) {
    let mut mask = [0_usize; MAX_NODES / usize::BITS as usize];
    let Some(word) = mask.get_mut(node / usize::BITS as usize) else { return };
    *word = 1 << (node % usize::BITS as usize);
    // The kernel takes one bit less than it is told.
    let bits = MAX_NODES + 1;
    // SAFETY: sets the policy of pages of our own reservation; the mask has `MAX_NODES` bits.
    unsafe { libc::syscall(libc::SYS_mbind, start, bytes, MPOL_PREFERRED, mask.as_ptr(), bits, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosted::memory::{self, Need};

    #[test]
    fn a_range_prefers_its_node() {
        let need = Need { used: 1, bytes: 4096, align: 4096 };
        let units = memory::reserve(need, None).expect("a small reservation");
        prefer(units.base, 4096, 0);
        let (mut mode, mut mask) = (-1, [0_usize; MAX_NODES / 64]);
        /// Ask for the policy of an address.
        const MPOL_F_ADDR: libc::c_int = 2;
        // SAFETY: room for a mode and `MAX_NODES` bits, and an address of our own.
        let result = unsafe {
            libc::syscall(libc::SYS_get_mempolicy, &raw mut mode, mask.as_mut_ptr(), MAX_NODES, units.base, MPOL_F_ADDR)
        };
        if result != 0 {
            // A kernel without NUMA, or a sandbox that forbids the call: placing is no error there.
            return;
        }
        assert_eq!((mode, mask[0]), (MPOL_PREFERRED, 1));
    }
}
