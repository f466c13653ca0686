//! goblin, a reader of ELF with which ours shares no code, on the same files.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use goblin::elf::{Elf, reloc, section_header, sym};
use percpu_link::Settings;
use percpu_link::model::Code;
use percpu_rt::abi::class::{BSS, DATA};
use percpu_rt::abi::record::{self, ByteOrder, Record};
use percpu_rt::abi::symbol::{END, START};

#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use tools::{cc, lld, program};

const SOURCE: &str = r#"
#define PER_CPU(rest) __attribute__((used, section(".data..percpu" rest)))
struct list { struct list *next; long length; };
PER_CPU(".a") struct list itself = { &itself, 1 };
PER_CPU(".b") long plain[3] = { 1, 2, 3 };
PER_CPU("..hot.c") char odd = 1;
PER_CPU(".d") struct list pair[2] = { { &pair[1], 0 }, { &pair[0], 0 } };
int ordinary = 1;
PER_CPU(".e") int *elsewhere = &ordinary;
__attribute__((used, section(".bss..percpu.f"))) long zeros[4];
struct list *outside = &itself;
int main(void) { return elsewhere == &ordinary; }
"#;

/// The sections of the template, by goblin.
fn sections<'a>(elf: &'a Elf<'_>) -> impl Iterator<Item = (usize, &'a section_header::SectionHeader)> {
    let name = |section: &section_header::SectionHeader| elf.shdr_strtab.get_at(section.sh_name);
    elf.section_headers
        .iter()
        .enumerate()
        .filter(move |(_, section)| matches!(name(section), Some(DATA | BSS)) && section.sh_size > 0)
}

/// The names of the variables that point into the template, by goblin: whatever holds a relocated word is looked up.
fn self_references(elf: &Elf<'_>) -> BTreeSet<String> {
    let (start, end) = (address(elf, START), address(elf, END));
    let is_inside = |address: u64| (start..end).contains(&address);
    let holder = |place: u64| {
        let covers = |symbol: &sym::Sym| {
            symbol.st_type() == sym::STT_OBJECT && (symbol.st_value..symbol.st_value + symbol.st_size).contains(&place)
        };
        elf.strtab.get_at(elf.syms.iter().find(covers).unwrap().st_name).unwrap().to_owned()
    };
    let mut found = BTreeSet::new();
    for relocation in elf.dynrelas.iter() {
        let base = match relocation.r_type {
            reloc::R_X86_64_RELATIVE => 0,
            reloc::R_X86_64_64 => elf.dynsyms.get(relocation.r_sym).unwrap().st_value,
            _ => continue,
        };
        if is_inside(relocation.r_offset) && is_inside(base.wrapping_add_signed(relocation.r_addend.unwrap())) {
            found.insert(holder(relocation.r_offset));
        }
    }
    for (_, relocations) in &elf.shdr_relocs {
        for relocation in relocations.iter().filter(|relocation| relocation.r_type == reloc::R_X86_64_64) {
            let base = elf.syms.get(relocation.r_sym).unwrap().st_value;
            if is_inside(relocation.r_offset) && is_inside(base.wrapping_add_signed(relocation.r_addend.unwrap())) {
                found.insert(holder(relocation.r_offset));
            }
        }
    }
    found
}

fn address(elf: &Elf<'_>, name: &str) -> u64 {
    elf.syms.iter().find(|symbol| elf.strtab.get_at(symbol.st_name) == Some(name)).unwrap().st_value
}

#[track_caller]
fn compare(path: &Path) {
    let bytes = fs::read(path).unwrap();
    let elf = Elf::parse(&bytes).unwrap();
    let report = percpu_link::check(path, &Settings::default()).unwrap();

    let (_, first) = sections(&elf).next().unwrap();
    assert_eq!(Some(report.section.name.as_str()), elf.shdr_strtab.get_at(first.sh_name));
    let place = (report.section.address, report.section.size, report.section.align);
    assert_eq!(place, (first.sh_addr, first.sh_size, first.sh_addralign));
    assert_eq!(report.static_size, address(&elf, END) - address(&elf, START));
    assert_eq!(report.max_align, sections(&elf).map(|(_, section)| section.sh_addralign).max().unwrap());

    let indices: Vec<usize> = sections(&elf).map(|(index, _)| index).collect();
    let is_variable = |symbol: &sym::Sym| symbol.st_type() == sym::STT_OBJECT && indices.contains(&symbol.st_shndx);
    let start = address(&elf, START);
    let mut theirs: Vec<_> =
        elf.syms.iter().filter(is_variable).map(|symbol| (symbol.st_value - start, symbol.st_size)).collect();
    theirs.sort_unstable();
    let ours: Vec<_> = report.variables.iter().map(|variable| (variable.offset, variable.size)).collect();
    assert_eq!(ours, theirs);

    let is_pointer = |code: Code| code == Code::SelfReference;
    let ours: BTreeSet<String> = report
        .findings
        .into_iter()
        .filter(|finding| is_pointer(finding.code))
        .filter_map(|found| found.variable)
        .collect();
    assert_eq!(ours, self_references(&elf));
}

#[test]
fn two_readers_find_the_same_in_c() {
    let Some(lld) = lld() else { return };
    for linker in [&[][..], &lld] {
        for flags in [
            &["-fPIE", "-pie"][..],
            &["-fPIC", "-shared"],
            &["-fPIE", "-pie", "-Wl,--emit-relocs"],
            &["-fno-pie", "-no-pie", "-Wl,--emit-relocs"],
        ] {
            let dir = tempfile::tempdir().unwrap();
            let flags: Vec<OsString> = linker.iter().cloned().chain(flags.iter().map(Into::into)).collect();
            let Some(image) = cc(dir.path(), "image", SOURCE, &flags) else { return };
            compare(&image);
            let bytes = fs::read(&image).unwrap();
            let expected = ["itself", "pair"].map(String::from);
            assert_eq!(self_references(&Elf::parse(&bytes).unwrap()), BTreeSet::from(expected), "{flags:?}");
        }
    }
}

#[test]
fn two_readers_find_the_same_in_rust() {
    let Some(program) = program() else { return };
    compare(program);
}

#[test]
fn a_patch_is_where_the_other_reader_finds_the_section() {
    let Some(program) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("program");
    fs::copy(program, &path).unwrap();
    percpu_link::patch(&path, 77).unwrap();
    let bytes = fs::read(&path).unwrap();
    let elf = Elf::parse(&bytes).unwrap();
    let named =
        |section: &&section_header::SectionHeader| elf.shdr_strtab.get_at(section.sh_name) == Some(record::SECTION);
    let range = elf.section_headers.iter().find(named).unwrap().file_range().unwrap();
    let found = Record::decode(&bytes[range], ByteOrder::NATIVE).unwrap().unwrap();
    assert_eq!(found.nr_units, 78);
    assert_eq!(found.static_size, address(&elf, END) - address(&elf, START));
    // The segment that holds the template, which the runtime asks for its alignment.
    let start = address(&elf, START);
    let holds = |load: &&goblin::elf::ProgramHeader| {
        load.p_type == goblin::elf::program_header::PT_LOAD && load.vm_range().contains(&(start as usize))
    };
    assert_eq!(found.align, elf.program_headers.iter().find(holds).unwrap().p_align);
}
