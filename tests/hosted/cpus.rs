//! The CPUs there are, and their offsets as operations, assembly and debuggers see them.

use std::fs;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use object::{Object, ObjectSymbol};
use percpu_rt::abi::symbol;
use percpu_rt::{
    CpuId, nr_cpu_ids, online_cpus, per_cpu, per_cpu_offset, possible_cpus, static_size, this_cpu, unit_size,
};
use percpu_tests::pin;

unsafe extern "C" {
    // The symbols that are a public part of every image.
    static this_cpu_off: AtomicUsize;
    static __per_cpu_offset: [AtomicUsize; 1];
}

/// Where the bytes from one symbol to another are in this program; none where it has no such symbols. Looked up as a debugger
/// does, since which of them there are depends on the linker.
pub(crate) fn between([start, end]: [&str; 2]) -> Option<Range<usize>> {
    let bytes = fs::read("/proc/self/exe").expect("Linux tells a process its program");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let linked = |name: &str| {
        let found = file.symbols().find(|symbol| symbol.name() == Ok(name) && symbol.is_definition());
        found.map(|symbol| symbol.address() as usize)
    };
    let table = linked(symbol::OFFSET_TABLE).expect("the table is in every image");
    let moved = (&raw const __per_cpu_offset).addr().wrapping_sub(table);
    Some(linked(start)?.wrapping_add(moved)..linked(end)?.wrapping_add(moved))
}

/// The addresses of the template.
pub(crate) fn template() -> Range<usize> {
    let by_fragment = between([symbol::START, symbol::END]);
    by_fragment.or_else(|| between([symbol::FALLBACK_START, symbol::FALLBACK_END])).expect("one of the two")
}

/// The numbers in one of Linux's lists of CPUs.
fn numbers(file: &str) -> Vec<usize> {
    let text = fs::read_to_string(format!("/sys/devices/system/cpu/{file}")).expect("Linux tells its CPUs");
    let number = |text: &str| text.parse::<usize>().expect("a number");
    text.trim()
        .split(',')
        .flat_map(|range| match range.split_once('-') {
            Some((first, last)) => number(first)..=number(last),
            None => number(range)..=number(range),
        })
        .collect()
}

#[test]
fn possible_cpus_are_linuxs_and_the_orphan() {
    let mut possible: Vec<_> = possible_cpus().collect();
    let orphan = possible.pop().expect("the orphan");
    assert_eq!(possible.iter().map(|cpu| cpu.index()).collect::<Vec<_>>(), numbers("possible"));
    assert!(possible.iter().all(|cpu| cpu.os_id() == Some(cpu.index() as u32) && !cpu.is_orphan()));
    assert!(orphan.is_orphan());
    assert_eq!((orphan.os_id(), orphan.index()), (None, nr_cpu_ids() - 1));
}

#[test]
fn online_cpus_are_linuxs() {
    assert_eq!(online_cpus().map(CpuId::index).collect::<Vec<_>>(), numbers("online"));
}

#[test]
fn numbers_out_of_bounds_are_no_cpus() {
    for cpu in possible_cpus() {
        assert_eq!(CpuId::new(cpu.index()), Some(cpu));
    }
    for number in [nr_cpu_ids(), nr_cpu_ids() + 63, 8191, 8192, 8193, 1 << 32, (1 << 32) + 1, usize::MAX] {
        assert!(number < nr_cpu_ids() || CpuId::new(number).is_none(), "{number}");
    }
    for number in 0..nr_cpu_ids() {
        assert_eq!(CpuId::new(number).is_some(), possible_cpus().any(|cpu| cpu.index() == number));
    }
}

#[test]
fn a_pinned_thread_knows_its_cpu() {
    /// Of 8 bytes, so no word.
    #[per_cpu]
    static OBJECT: [u32; 2] = [1, 2];
    for cpu in pin::allowed() {
        let (this, named, copy) = pin::on(cpu, || {
            let object = OBJECT.get_cpu_var();
            (this_cpu(), object.cpu(), OBJECT.with(|object| (&raw const *object).addr()))
        });
        // A process whose threads are not registered works on the orphan's.
        assert!(this == cpu || this.is_orphan());
        assert_eq!((named, copy), (this, OBJECT.per_cpu_ptr(this).addr()));
    }
}

#[test]
fn offsets_are_where_assembly_looks_for_them() {
    for cpu in possible_cpus() {
        let offset = per_cpu_offset(cpu).cast_unsigned();
        let table = &raw const __per_cpu_offset;
        // SAFETY: the runtime's table has an entry for each CPU below `nr_cpu_ids`.
        let entry = unsafe { (*table.cast::<AtomicUsize>().add(cpu.index())).load(Ordering::Relaxed) };
        assert_eq!(entry, offset, "__per_cpu_offset[{cpu}]");
        let copy = (&raw const this_cpu_off).addr().wrapping_add(offset);
        // SAFETY: that CPU's copy of the word, in a unit that stays mapped; set-up alone wrote it.
        let own = unsafe { (*std::ptr::with_exposed_provenance::<AtomicUsize>(copy)).load(Ordering::Relaxed) };
        assert_eq!(own, offset, "{cpu}'s this_cpu_off");
    }
}

#[test]
fn units_lie_one_unit_size_apart() {
    let template = template();
    assert_eq!(static_size(), template.len());
    assert!(unit_size() >= static_size() && unit_size().is_multiple_of(4096));
    let first = per_cpu_offset(CpuId::new(0).expect("Linux numbers CPUs from 0"));
    for cpu in possible_cpus() {
        let distance = per_cpu_offset(cpu).wrapping_sub(first);
        assert_eq!(distance.cast_unsigned(), cpu.index() * unit_size(), "{cpu}");
        let unit = template.start.wrapping_add_signed(per_cpu_offset(cpu));
        // The largest alignment asked for in this program.
        assert!(unit.is_multiple_of(8192), "the unit of {cpu} at {unit:#x}");
    }
}
