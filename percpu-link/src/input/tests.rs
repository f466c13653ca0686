//! Images of every width, order and oddity, and what becomes of damaged ones.

use percpu_rt::abi::class::{self, Class};
use percpu_rt::abi::symbol;

use super::*;
use crate::fixture::{
    ABSOLUTE, Elf, FUNC, NOTYPE, OBJECT, PT_INTERP, PT_LOAD, PT_TLS, Symbol, data, label, object, zeros,
};
use crate::model::Hole;

fn read(elf: &Elf) -> Result<Report, Flaw> {
    super::read(elf.bytes().as_slice(), "image".into()).map(|facts| facts.report)
}

fn offsets(report: &Report) -> Vec<(&str, u64, u64)> {
    report.variables.iter().map(|variable| (variable.name.as_str(), variable.offset, variable.size)).collect()
}

#[test]
fn every_width_order_and_machine_reads_the_same() {
    let reference = read(&Elf::small()).unwrap();
    assert_eq!(offsets(&reference), [("first", 0, 8), ("second", 16, 4)]);
    assert_eq!(reference.holes, [Hole { offset: 8, size: 8 }, Hole { offset: 20, size: 12 }]);
    assert_eq!((reference.static_size, reference.max_align), (32, 16));
    assert_eq!((reference.unit_size, reference.reserved_size, reference.dyn_size), (40960, 8192, 40960 - 8192 - 32));
    for (machine, is_64, is_big, name) in [
        (62, true, false, "x86_64"),
        (3, false, false, "x86"),
        (183, true, false, "aarch64"),
        (183, true, true, "aarch64"),
        (40, false, true, "arm"),
        (243, true, false, "riscv64"),
        (243, false, false, "riscv32"),
        (22, true, true, "s390x"),
        (21, true, false, "powerpc64"),
        (20, false, true, "powerpc"),
        (258, true, false, "loongarch64"),
        (8, false, true, "mips"),
        (0xbeef, true, true, "elf-machine-48879"),
    ] {
        let report = read(&Elf { machine, is_64, is_big, ..Elf::small() }).unwrap();
        assert_eq!(report, Report { machine: name.into(), ..reference.clone() });
    }
}

#[test]
fn a_process_has_an_interpreter_thread_storage_or_our_runtime() {
    for (segments, mode) in [
        (vec![], Mode::Kernel),
        (vec![PT_LOAD], Mode::Kernel),
        (vec![PT_LOAD, PT_INTERP], Mode::Hosted),
        (vec![PT_TLS], Mode::Hosted),
    ] {
        assert_eq!(read(&Elf { segments: segments.clone(), ..Elf::small() }).unwrap().mode, mode, "{segments:?}");
    }
    let mut elf = Elf::small();
    elf.symbols.push(object(symbol::RSEQ_OFFSET, 1, 0x1000, 8));
    assert_eq!(read(&elf).unwrap().mode, Mode::Hosted);
}

#[test]
fn the_section_is_the_one_that_holds_something() {
    let empty = zeros(class::DATA, 0x2000, 0, 1);
    let full = data(class::DATA, 0x3000, 16, 8);
    let report = read(&Elf::kernel(vec![empty.clone(), full], vec![object("v", 2, 0x3008, 8)])).unwrap();
    assert_eq!((report.section.address, report.section.size), (0x3000, 16));
    assert_eq!(offsets(&report), [("v", 8, 8)]);
    assert_eq!(read(&Elf::kernel(vec![empty.clone()], vec![])), Err(Flaw::NoSection));
    let foreign = data(".percpu", 0x4000, 8, 8);
    let report = read(&Elf::kernel(vec![foreign, empty], vec![object("v", 1, 0x4000, 8)])).unwrap();
    assert_eq!(report.section.name, ".percpu");
    // Where the linker does not read the fragment; its own symbols stand around the section.
    let ends = [label(symbol::FALLBACK_START, 1, 0x5000), label(symbol::FALLBACK_END, 1, 0x5010)];
    let symbols = [vec![object("v", 1, 0x5000, 8)], ends.to_vec()].concat();
    let report = read(&Elf::kernel(vec![data(class::FALLBACK, 0x5000, 16, 8)], symbols)).unwrap();
    assert_eq!((report.section.name.as_str(), report.static_size), (class::FALLBACK, 16));
    assert_eq!((offsets(&report), report.findings.len()), (vec![("v", 0, 8)], 0));
    assert_eq!(read(&Elf::kernel(vec![], vec![])), Err(Flaw::NoSection));
}

#[test]
fn symbols_belong_by_section_not_by_address() {
    // As in Linux before 6.15: the template is linked to address zero, where other symbols seem to be, too.
    let sections = vec![data(class::DATA, 0, 64, 64), data(".text", 0, 64, 16)];
    let symbols = vec![object("mine", 1, 0, 8), object("other", 2, 8, 8), object("absolute", ABSOLUTE, 16, 8)];
    let report = read(&Elf::kernel(sections, symbols)).unwrap();
    assert_eq!(offsets(&report), [("mine", 0, 8)]);
}

#[test]
fn only_data_symbols_are_variables() {
    let kinds = |kind, name, size| Symbol { name, section: 2, address: 0x2000, size, kind };
    let mut elf = Elf::small();
    elf.symbols = vec![
        kinds(OBJECT, "object", 8),
        kinds(OBJECT, "alias", 8),
        kinds(OBJECT, "object", 8),
        kinds(OBJECT, "empty", 0),
        kinds(NOTYPE, "assembly", 4),
        kinds(NOTYPE, "$d", 0),
        kinds(FUNC, "code", 8),
        kinds(3, "", 0),
        kinds(OBJECT, symbol::START, 8),
        object("outside", 2, 0x1fff, 1),
        object("beyond", 2, 0x2021, 1),
    ];
    let report = read(&elf).unwrap();
    assert_eq!(offsets(&report), [("alias", 0, 8), ("assembly", 0, 4), ("empty", 0, 0), ("object", 0, 8)]);
}

#[test]
fn zero_templates_follow_the_others() {
    let image = |gap: u64| {
        let sections = vec![data(class::DATA, 0x2000, 20, 16), zeros(class::BSS, 0x2014 + gap, 40, 4)];
        let symbols = vec![object("v", 1, 0x2000, 8), object("z", 2, 0x2014 + gap, 40)];
        read(&Elf::kernel(sections, symbols)).unwrap()
    };
    let report = image(12);
    assert_eq!(report.static_size, 72);
    assert_eq!(offsets(&report), [("v", 0, 8), ("z", 32, 40)]);
    assert_eq!(report.variables[1].class, Class::Zeroed);
    // Another section of the name, further off than alignment can put it.
    let report = image(1 << 20);
    assert_eq!(report.static_size, 20);
    assert_eq!(offsets(&report), [("v", 0, 8)]);
    // Nothing but zeros.
    let only = Elf::kernel(vec![zeros(class::BSS, 0x3000, 8, 8)], vec![object("z", 1, 0x3000, 8)]);
    let report = read(&only).unwrap();
    assert_eq!((report.section.name.as_str(), report.static_size), (class::BSS, 8));
    assert_eq!(report.variables[0].class, Class::Zeroed);
}

#[test]
fn boundary_symbols_count_where_they_make_sense() {
    let image = |start, end| {
        let mut elf = Elf::small();
        elf.symbols.extend([label(symbol::START, 2, start), label(symbol::END, 2, end)]);
        read(&elf).unwrap()
    };
    assert_eq!(image(0x2000, 0x2020).static_size, 32);
    let padded = image(0x1ff8, 0x2040);
    assert_eq!(padded.static_size, 72);
    assert_eq!(offsets(&padded), [("first", 8, 8), ("second", 24, 4)]);
    for (start, end) in [(0x2000, 0x201f), (0x2001, 0x2020), (0, 0x2020), (0x2000, u64::MAX), (0x2020, 0x2000)] {
        let report = image(start, end);
        assert_eq!((report.static_size, report.variables[0].offset), (32, 0), "{start:#x} to {end:#x}");
    }
}

#[test]
fn classes_come_from_their_symbols() {
    let mut elf = Elf::small();
    elf.symbols.push(label(Class::Hot.start_symbol(), 2, 0x2000));
    elf.symbols.push(label(Class::SharedAligned.start_symbol(), 2, 0x2010));
    let classes: Vec<_> = read(&elf).unwrap().variables.iter().map(|variable| variable.class).collect();
    assert_eq!(classes, [Class::Hot, Class::SharedAligned]);
}

#[test]
fn a_stripped_image_says_so() {
    let report = read(&Elf { symbols: vec![], ..Elf::small() }).unwrap();
    assert_eq!((report.variables.len(), report.holes.len()), (0, 0));
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code.name()).collect();
    assert_eq!(codes, ["no-symbols"]);
    assert!(read(&Elf::small()).unwrap().findings.is_empty());
}

#[test]
fn damaged_debug_information_costs_only_itself() {
    let mut elf = Elf::small();
    elf.sections.push(data(".debug_info", 0, 64, 1));
    let report = read(&elf).unwrap();
    assert_eq!(report.variables.len(), 2);
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code.name()).collect();
    assert_eq!(codes, ["damaged-debug-info"]);
}

#[test]
fn a_template_beyond_the_address_space_is_damage() {
    let elf = Elf::kernel(vec![zeros(class::DATA, 0, u64::MAX, 1)], vec![]);
    assert!(matches!(read(&elf), Err(Flaw::Malformed(_))));
}

#[test]
fn no_prefix_of_an_image_is_taken_for_one() {
    let mut elf = Elf::small();
    for is_64 in [true, false] {
        elf.is_64 = is_64;
        let bytes = elf.bytes();
        for length in 0..bytes.len() {
            // The section headers are last, so each shorter file lacks something.
            let flaw = super::read(&bytes[..length], String::new()).expect_err("a prefix is an error");
            assert!(matches!(flaw, Flaw::NotElf | Flaw::Malformed(_)), "{length} bytes: {flaw:?}");
        }
        assert!(super::read(&bytes[..], String::new()).is_ok());
    }
}

/// Xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

#[test]
fn random_bytes_are_refused() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2_000 {
        let mut bytes: Vec<u8> = (0..random.below(512)).map(|_| random.next() as u8).collect();
        let _ = super::read(&bytes[..], String::new());
        // The same behind a good start.
        let start = Elf::small().bytes();
        bytes.splice(0..bytes.len().min(20), start[..20].iter().copied());
        let _ = super::read(&bytes[..], String::new());
    }
}

#[test]
fn no_change_of_an_image_makes_the_reader_panic() {
    let mut elf = Elf::small();
    elf.sections.push(zeros(class::BSS, 0x2020, 64, 32));
    elf.symbols.extend([label(symbol::START, 2, 0x2000), label(symbol::END, 3, 0x2060)]);
    let mut random = Random(42);
    for is_64 in [true, false] {
        elf.is_64 = is_64;
        mutate(&elf.bytes(), &mut random, 20_000);
    }
}

/// Reads `image` with one to four fields changed to values that hurt, `rounds` times.
fn mutate(image: &[u8], random: &mut Random, rounds: usize) {
    for _ in 0..rounds {
        let mut bytes = image.to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            let width = [1, 2, 4, 8][random.below(4)].min(bytes.len() - at);
            let value = match random.below(4) {
                0 => 0,
                1 => u64::MAX,
                2 => u64::MAX >> random.below(64),
                _ => random.next(),
            };
            bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        }
        let _ = super::read(&bytes[..], String::new());
    }
}
