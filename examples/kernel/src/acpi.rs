//! CPUs, their nodes, and the distances of nodes, from ACPI's tables (ACPI 6.5, chapter 5.2).

use crate::machine::at;

/// CPUs that there is room for: xAPIC has no more numbers.
pub const MAX_CPUS: usize = 256;

/// Nodes that there is room for.
pub const MAX_NODES: usize = 8;

/// A CPU: the number of its local APIC, and its node.
#[derive(Clone, Copy, Default)]
pub struct Cpu {
    pub apic: u8,
    pub node: u32,
}

/// Memory of a node.
#[derive(Clone, Copy, Default)]
pub struct NodeRange {
    pub node: u32,
    pub start: u64,
    pub bytes: u64,
}

/// What the tables say.
pub struct Numa {
    cpus: [Cpu; MAX_CPUS],
    nr_cpus: usize,
    ranges: [NodeRange; 2 * MAX_NODES],
    nr_ranges: usize,
    distances: [[u8; MAX_NODES]; MAX_NODES],
}

impl Numa {
    pub fn cpus(&self) -> &[Cpu] {
        &self.cpus[..self.nr_cpus]
    }

    /// Memory by node; none where there is one node alone.
    pub fn ranges(&self) -> &[NodeRange] {
        &self.ranges[..self.nr_ranges]
    }

    pub fn distance(&self, from: u32, to: u32) -> u32 {
        self.distances[from as usize][to as usize].into()
    }
}

#[repr(C, packed)]
struct Header {
    signature: [u8; 4],
    length: u32,
    rest: [u8; 28],
}

/// A table's bytes behind its header.
fn body(header: u64) -> (&'static [u8; 4], &'static [u8]) {
    // SAFETY: the firmware's tables, which nobody writes.
    unsafe {
        let table = &*at::<Header>(header);
        let length = table.length as usize - size_of::<Header>();
        (&table.signature, core::slice::from_raw_parts(at::<u8>(header + size_of::<Header>() as u64), length))
    }
}

fn number<const N: usize>(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number[..N].copy_from_slice(&bytes[offset..offset + N]);
    u64::from_le_bytes(number)
}

/// Reads the tables.
pub fn read(rsdp: u64) -> Numa {
    let mut numa = Numa {
        cpus: [Cpu::default(); MAX_CPUS],
        nr_cpus: 0,
        ranges: [NodeRange::default(); 2 * MAX_NODES],
        nr_ranges: 0,
        distances: [[20; MAX_NODES]; MAX_NODES],
    };
    for node in 0..MAX_NODES {
        numa.distances[node][node] = 10;
    }
    // SAFETY: the loader has said where it is.
    let pointer = unsafe { core::slice::from_raw_parts(at::<u8>(rsdp), 36) };
    let is_extended = pointer[15] >= 2;
    let (root, size) = if is_extended { (number::<8>(pointer, 24), 8) } else { (number::<4>(pointer, 16), 4) };
    let (_, entries) = body(root);
    for entry in entries.chunks_exact(size) {
        let table = if is_extended { number::<8>(entry, 0) } else { number::<4>(entry, 0) };
        match body(table) {
            (b"APIC", madt) => cpus(madt, &mut numa),
            (b"SLIT", slit) => distances(slit, &mut numa),
            _ => {}
        }
    }
    // Behind the CPUs, whose nodes it says.
    for entry in entries.chunks_exact(size) {
        let table = if is_extended { number::<8>(entry, 0) } else { number::<4>(entry, 0) };
        if let (b"SRAT", srat) = body(table) {
            affinities(srat, &mut numa);
        }
    }
    numa
}

/// The structures of a table from `at` on: each begins with its type and its length.
fn structures(table: &[u8], at: usize, mut each: impl FnMut(u8, &[u8])) {
    let mut rest = &table[at..];
    while let [kind, length, ..] = *rest {
        let (structure, others) = rest.split_at(usize::from(length).max(2).min(rest.len()));
        each(kind, structure);
        rest = others;
    }
}

fn cpus(madt: &[u8], numa: &mut Numa) {
    structures(madt, 8, |kind, structure| {
        // A local APIC that is enabled, or can be.
        if kind == 0 && number::<4>(structure, 4) & 3 != 0 && numa.nr_cpus < MAX_CPUS {
            numa.cpus[numa.nr_cpus].apic = structure[3];
            numa.nr_cpus += 1;
        }
    });
}

fn affinities(srat: &[u8], numa: &mut Numa) {
    structures(srat, 12, |kind, structure| match kind {
        0 if number::<4>(structure, 4) & 1 != 0 => {
            let (node, apic) = (u32::from(structure[2]), structure[3]);
            let nr_cpus = numa.nr_cpus;
            numa.cpus[..nr_cpus].iter_mut().filter(|cpu| cpu.apic == apic).for_each(|cpu| cpu.node = node);
        }
        1 if number::<4>(structure, 28) & 1 != 0 && numa.nr_ranges < numa.ranges.len() => {
            let node = number::<4>(structure, 2) as u32;
            let (start, bytes) = (number::<8>(structure, 8), number::<8>(structure, 16));
            numa.ranges[numa.nr_ranges] = NodeRange { node, start, bytes };
            numa.nr_ranges += 1;
        }
        _ => {}
    });
}

fn distances(slit: &[u8], numa: &mut Numa) {
    let count = number::<8>(slit, 0) as usize;
    for (from, row) in slit[8..].chunks_exact(count).enumerate().take(MAX_NODES) {
        for (to, distance) in row.iter().enumerate().take(MAX_NODES) {
            numa.distances[from][to] = *distance;
        }
    }
}
