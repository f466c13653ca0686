//! Linux's own answers, and a sweep against a second, deliberately naive implementation.

extern crate std;

use std::string::ToString;
use std::vec;
use std::vec::Vec;

use super::{DEFAULT_ATOM_SIZE, FirstChunk, LOCAL_DISTANCE, LayoutError, Request};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
/// The template of the kernel that the vectors come from.
const STATIC: u64 = 192_512;

/// Arranges `nodes.len()` CPUs, CPU `c` on node `nodes[c]`.
fn arrange(request: &Request, nodes: &[usize]) -> Result<(FirstChunk, Vec<usize>, Vec<u64>), LayoutError> {
    let mut groups = vec![0; nodes.len()];
    let mut offsets = vec![0; nodes.len()];
    let distance = |a: usize, b: usize| {
        if nodes[a] == nodes[b] { LOCAL_DISTANCE } else { 20 }
    };
    let chunk = request.arrange(distance, &mut groups, &mut offsets)?;
    Ok((chunk, groups, offsets))
}

/// CPU `c` on node `c * nodes / cpus`.
fn blocks(cpus: usize, nodes: usize) -> Vec<usize> {
    (0..cpus).map(|cpu| cpu * nodes / cpus).collect()
}

/// CPU `c` on node `c % nodes`.
fn interleaved(cpus: usize, nodes: usize) -> Vec<usize> {
    (0..cpus).map(|cpu| cpu % nodes).collect()
}

#[test]
fn gives_linux_answers() {
    for (cpus, nodes, unit, upa, groups, units) in [
        (1, 1, 2_097_152, 1, 1, 1),
        (2, 1, 1_048_576, 2, 1, 2),
        (4, 1, 524_288, 4, 1, 4),
        (6, 1, 262_144, 8, 1, 8),
        (8, 1, 262_144, 8, 1, 8),
        (12, 1, 262_144, 8, 1, 16),
        (16, 2, 262_144, 8, 2, 16),
        (12, 4, 524_288, 4, 4, 16),
        (5, 2, 1_048_576, 2, 2, 6),
        (3, 3, 2_097_152, 1, 3, 3),
    ] {
        let (chunk, ..) = arrange(&Request::new(STATIC), &blocks(cpus, nodes)).unwrap();
        let case = std::format!("{cpus} cpus on {nodes} nodes: {chunk:?}");
        assert_eq!(chunk.sizes.dyn_size, 28_672, "{case}");
        assert_eq!((chunk.unit_size, chunk.upa), (unit, upa), "{case}");
        assert_eq!((chunk.nr_groups, chunk.nr_units), (groups, units), "{case}");
        assert_eq!(chunk.alloc_size, 2 * MIB, "{case}");
    }
}

#[test]
fn groups_start_with_a_fresh_allocation() {
    // Two allocations of four units: CPUs 0 to 2 and a hole, CPUs 3 to 5 and a hole.
    let request = Request { atom_size: MIB, ..Request::new(STATIC) };
    let (chunk, groups, offsets) = arrange(&request, &blocks(6, 2)).unwrap();
    assert_eq!((chunk.upa, chunk.nr_units), (4, 8));
    assert_eq!(groups, [0, 0, 0, 1, 1, 1]);
    let units: Vec<u64> = offsets.iter().map(|offset| offset / chunk.unit_size).collect();
    assert_eq!(units, [0, 1, 2, 4, 5, 6]);

    let (_, groups, offsets) = arrange(&request, &interleaved(6, 2)).unwrap();
    assert_eq!(groups, [0, 1, 0, 1, 0, 1]);
    let units: Vec<u64> = offsets.iter().map(|offset| offset / chunk.unit_size).collect();
    assert_eq!(units, [0, 4, 1, 5, 2, 6]);
}

#[test]
fn a_group_needs_both_directions_and_its_first_cpu() {
    let arrange = |near: &[(usize, usize)]| {
        let (mut groups, mut offsets) = ([9; 3], [9; 3]);
        let distance = |a, b| {
            if near.contains(&(a, b)) { LOCAL_DISTANCE } else { LOCAL_DISTANCE + 1 }
        };
        Request::new(0).arrange(distance, &mut groups, &mut offsets).unwrap();
        groups
    };
    assert_eq!(arrange(&[(0, 1), (1, 2), (2, 1)]), [0, 1, 1], "0 to 1 is near one way only");
    assert_eq!(arrange(&[(0, 1), (1, 0), (1, 2), (2, 1)]), [0, 0, 1], "2 is near 1, but not near the first CPU");
}

#[test]
fn areas_fill_whole_pages() {
    // Nothing at all is asked for: the early dynamic area, and the least unit.
    let empty = Request { reserved_size: 0, dyn_size: 0, ..Request::new(0) };
    let sizes = empty.sizes().unwrap();
    assert_eq!((sizes.dyn_size, sizes.min_unit_size), (20 * KIB, 32 * KIB));
    // One byte of template costs a page, and the dynamic area gets the rest of it.
    let sizes = Request { static_size: 1, ..empty }.sizes().unwrap();
    assert_eq!((sizes.dyn_size, sizes.min_unit_size), (24 * KIB - 1, 32 * KIB));
    // Pages of 64 KiB: the least unit is a page.
    let large_pages = Request { atom_size: 64 * KIB, page_size: 64 * KIB, ..Request::new(16) };
    let sizes = large_pages.sizes().unwrap();
    assert_eq!((sizes.dyn_size, sizes.min_unit_size), (64 * KIB - 8 * KIB - 16, 64 * KIB));
}

#[test]
fn refuses_what_has_no_layout() {
    let good = Request::new(STATIC);
    for page_size in [0, 3, 4095, 4097, u64::MAX] {
        assert_eq!(Request { page_size, ..good }.sizes(), Err(LayoutError::PageSize(page_size)));
    }
    for atom_size in [0, 1, 4095, 4097, 2 * MIB + 1] {
        let expected = LayoutError::AtomSize { atom_size, page_size: 4096 };
        assert_eq!(Request { atom_size, ..good }.sizes(), Err(expected));
    }
    for static_size in [u64::MAX, u64::MAX - 36 * KIB, u64::MAX - 36 * KIB + 1] {
        let expected = LayoutError::UnitOverflow { static_size, reserved_size: 8 * KIB, dyn_size: 28 * KIB };
        assert_eq!(Request { static_size, ..good }.sizes(), Err(expected));
    }
    assert!(Request { static_size: u64::MAX - 40 * KIB, ..good }.sizes().is_ok());

    let arrange = |request: Request, cpus| arrange(&request, &blocks(cpus, 1)).map(|(chunk, ..)| chunk);
    assert_eq!(arrange(good, 0), Err(LayoutError::NoCpus));
    let huge = Request { static_size: (1 << 63) + 1, atom_size: 1 << 63, ..good };
    let min_unit_size = huge.sizes().unwrap().min_unit_size;
    assert_eq!(arrange(huge, 1), Err(LayoutError::AllocOverflow { min_unit_size, atom_size: 1 << 63 }));
    let half = Request { static_size: 1 << 62, atom_size: 1 << 63, ..good };
    assert!(arrange(half, 1).is_ok());
    let expected = LayoutError::ChunkOverflow { nr_units: 2, unit_size: 1 << 63 };
    assert_eq!(arrange(half, 2), Err(expected));
    assert_eq!(expected.to_string(), "2 units of 9223372036854775808 bytes exceed 64 bits");

    let outputs = good.arrange(|_, _| LOCAL_DISTANCE, &mut [0; 2], &mut [0; 3]);
    assert_eq!(outputs, Err(LayoutError::Outputs { groups: 2, unit_offsets: 3 }));
}

#[test]
fn a_huge_atom_is_not_searched_unit_by_unit() {
    // 2^48 units fit into one allocation; only those that one CPU can use are tried.
    let request = Request { atom_size: 1 << 63, ..Request::new(0) };
    let (chunk, ..) = arrange(&request, &[0]).unwrap();
    assert_eq!((chunk.upa, chunk.unit_size), (1, 1 << 63));
}

/// What a layout is, written down without a thought for speed: every number of units per allocation is tried,
/// every allocation is a list of CPUs.
fn naive(request: &Request, nodes: &[usize]) -> (FirstChunk, Vec<usize>, Vec<u64>) {
    let whole = |bytes: u64, granule: u64| (0..).map(|n| n * granule).find(|size| *size >= bytes).unwrap();
    let fixed = request.static_size + request.reserved_size;
    let sum = whole(fixed + request.dyn_size.max(20 * KIB), request.page_size);
    let min_unit_size = sum.max(whole(32 * KIB, request.page_size));
    let alloc_size = whole(min_unit_size, request.atom_size);

    let mut firsts: Vec<usize> = Vec::new();
    let mut groups = Vec::new();
    for (cpu, node) in nodes.iter().enumerate() {
        let known = firsts.iter().position(|first| nodes[*first] == *node);
        groups.push(known.unwrap_or_else(|| {
            firsts.push(cpu);
            firsts.len() - 1
        }));
    }
    let members = |group| (0..nodes.len()).filter(|cpu| groups[*cpu] == group).collect::<Vec<_>>();
    let allocations = |upa: u64| -> Vec<Vec<usize>> {
        (0..firsts.len())
            .flat_map(|group| members(group).chunks(upa as usize).map(<[_]>::to_vec).collect::<Vec<_>>())
            .collect()
    };

    let mut accepted: Vec<(u64, usize)> = Vec::new();
    for upa in (1..=alloc_size / min_unit_size).rev() {
        if alloc_size % upa != 0 || (alloc_size / upa) % request.page_size != 0 {
            continue;
        }
        let allocs = allocations(upa);
        let wasted: usize = allocs.iter().map(|cpus| upa as usize - cpus.len()).sum();
        if wasted > nodes.len() / 3 {
            continue;
        }
        if accepted.last().is_some_and(|(_, fewest)| allocs.len() > *fewest) {
            break;
        }
        accepted.push((upa, allocs.len()));
    }
    let (upa, nr_allocs) = *accepted.last().unwrap();

    let mut offsets = vec![0; nodes.len()];
    for (number, cpus) in allocations(upa).iter().enumerate() {
        for (place, cpu) in cpus.iter().enumerate() {
            offsets[*cpu] = number as u64 * alloc_size + place as u64 * (alloc_size / upa);
        }
    }
    let sizes = super::Sizes {
        static_size: request.static_size,
        reserved_size: request.reserved_size,
        dyn_size: sum - fixed,
        min_unit_size,
    };
    let chunk = FirstChunk {
        sizes,
        unit_size: alloc_size / upa,
        alloc_size,
        upa,
        nr_groups: firsts.len(),
        nr_units: nr_allocs as u64 * upa,
    };
    (chunk, groups, offsets)
}

#[test]
fn agrees_with_a_naive_implementation() {
    // The naive one is slow, so Miri, slower by far, gets a sample.
    let cpu_counts: &[usize] = if cfg!(miri) { &[1, 6, 13] } else { &[1, 2, 3, 5, 6, 8, 12, 13, 31, 64, 97, 256, 600] };
    for (page_size, atom_size) in [
        (4 * KIB, 4 * KIB),
        (4 * KIB, 64 * KIB),
        (4 * KIB, DEFAULT_ATOM_SIZE),
        (4 * KIB, 3 * MIB),
        (16 * KIB, 2 * MIB),
        (64 * KIB, 64 * KIB),
        (64 * KIB, 8 * MIB),
        // 256 units of 96 KiB would fit, which are no whole pages.
        (64 * KIB, 24 * MIB),
    ] {
        for static_size in [0, 1, 4 * KIB, 45_000, STATIC, 700_001, 5 * MIB + 12] {
            for (reserved_size, dyn_size) in [(0, 0), (8 * KIB, 28 * KIB), (1000, 300_000)] {
                let request = Request { static_size, reserved_size, dyn_size, atom_size, page_size };
                for &cpus in cpu_counts {
                    for nodes in [1, 2, 3, 8] {
                        for nodes in [blocks(cpus, nodes), interleaved(cpus, nodes)] {
                            let actual = arrange(&request, &nodes).unwrap();
                            assert_eq!(actual, naive(&request, &nodes), "{request:?}, nodes {nodes:?}");
                        }
                    }
                }
            }
        }
    }
}
