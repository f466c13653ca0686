//! What an operation compiles to where nothing is hoisted: reviewed texts, one a site.
//!
//! The sites are the functions of `fixtures/sites.rs`, built in release as a crate of its own. To accept changed code:
//! `BLESS=1 cargo test -p percpu-tests --test codegen`, then read the diff of `codegen/`.
#![cfg(all(target_arch = "x86_64", not(percpu_backend = "generic")))]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::{env, fs};

use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Formatter, Instruction, IntelFormatter, Mnemonic, OpKind, Register,
    SymbolResolver, SymbolResult,
};
use object::{Object, ObjectSection, ObjectSymbol};
use percpu_tests::fixture::Fixture;
use percpu_tests::tool;

/// The longest increment that is accepted, the `ret` not counted.
const LONGEST_INCREMENT: usize = 10;

/// What stands at the addresses of the program that operands name.
#[derive(Clone)]
struct Names(BTreeMap<u64, String>);

impl Names {
    fn of(file: &object::File<'_>) -> Self {
        let mut names = BTreeMap::new();
        for symbol in file.symbols().filter(|symbol| symbol.address() != 0) {
            let name = symbol.name().unwrap_or_default();
            // A template's mangled name has hashes in it.
            match ["LOCAL", "EXPORTED"].into_iter().find(|variable| name.contains(variable)) {
                Some(variable) => names.insert(symbol.address(), variable.to_owned()),
                None if ["__percpu_rseq_offset", "__per_cpu_offset"].contains(&name) => {
                    names.insert(symbol.address(), name.to_owned())
                }
                None => None,
            };
        }
        // Where a descriptor or an entry of the global offset table lies in its section says nothing.
        for section in file.sections() {
            let name = section.name().unwrap_or_default();
            if ["__rseq_cs", ".got"].contains(&name) {
                names.extend((0..section.size()).map(|byte| (section.address() + byte, name.to_owned())));
            }
        }
        Self(names)
    }
}

impl SymbolResolver for Names {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        _: u32,
        _: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        let name = self.0.get(&address).filter(|_| instruction.is_ip_rel_memory_operand())?;
        Some(SymbolResult::with_str(address, name))
    }
}

/// A function of the program, up to its `ret`.
struct Site {
    name: String,
    instructions: Vec<Instruction>,
    text: String,
}

fn sites(program: &Path) -> Vec<Site> {
    let bytes = fs::read(program).expect("the program was built");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let names = Names::of(&file);
    let mut sites: Vec<_> =
        file.symbols().filter(|symbol| symbol.name().is_ok_and(|n| n.starts_with("site_"))).collect();
    sites.sort_by_key(|site| site.name().unwrap_or_default().to_owned());
    let text = file.section_by_name(".text").expect("code");
    let disassemble = |symbol: &object::Symbol<'_, '_>| {
        let code = text.data_range(symbol.address(), symbol.size()).expect("readable").expect("in .text");
        let name = symbol.name().expect("checked above").to_owned();
        let mut site = Site { text: format!("{name}:\n"), name, instructions: Vec::new() };
        let range = symbol.address()..symbol.address() + symbol.size();
        let decoder = Decoder::with_ip(64, code, symbol.address(), DecoderOptions::NONE);
        let mut formatter = IntelFormatter::with_options(Some(Box::new(names.clone())), None);
        for instruction in decoder {
            site.text += &line(&instruction, &range, &mut formatter);
            site.instructions.push(instruction);
            if instruction.flow_control() == FlowControl::Return {
                break;
            }
        }
        site
    };
    sites.iter().map(disassemble).collect()
}

/// One instruction, with names for addresses.
fn line(instruction: &Instruction, site: &Range<u64>, formatter: &mut IntelFormatter) -> String {
    let mut text = String::new();
    formatter.format(instruction, &mut text);
    if instruction.op0_kind() == OpKind::NearBranch64 {
        let target = instruction.near_branch64();
        // Out of line: the orphan's form. Within: by how far.
        let place = if site.contains(&target) { format!("+{}", target - instruction.ip()) } else { "cold".into() };
        text = format!("{} {place}", text.split_whitespace().next().unwrap_or_default());
    }
    format!("\t{text}\n")
}

/// Whether it computes or loads the address of a variable.
fn is_address(instruction: &Instruction) -> bool {
    let is_variable = instruction.op1_kind() == OpKind::Memory && instruction.memory_base() == Register::RDI;
    is_variable || instruction.mnemonic() == Mnemonic::Lea && instruction.is_ip_rel_memory_operand()
}

#[test]
fn sites_are_as_reviewed() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    let program = Fixture::new(env!("CARGO_TARGET_TMPDIR"), "sites", "sites").release().build().file;
    let sites = sites(&program);
    assert_eq!(sites.len(), 10);
    for site in &sites {
        let inc = site.name.starts_with("site_inc");
        assert!(!inc || site.instructions.len() - 1 <= LONGEST_INCREMENT, "too long:\n{}", site.text);
        for instruction in &site.instructions {
            assert!(!instruction.has_lock_prefix(), "a lock prefix:\n{}", site.text);
            assert_ne!(instruction.mnemonic(), Mnemonic::Call, "not inlined:\n{}", site.text);
        }
    }
    // A dynamic variable is a static but for where its address comes from: one instruction in both, none where it is passed.
    let [dynamic, borrowed, fixed] = ["site_inc_of_a_box", "site_inc_of_a_borrowed", "site_inc"].map(|name| {
        let site = sites.iter().find(|site| site.name == name).expect("a site of this name");
        let but_address = site.instructions.iter().filter(|instruction| !is_address(instruction));
        but_address.map(Instruction::mnemonic).collect::<Vec<_>>()
    });
    assert_eq!((&dynamic, &borrowed), (&fixed, &fixed));
    let text: String = sites.iter().map(|site| format!("{}\n", site.text)).collect();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("codegen/sites.x86_64.asm");
    if tool::is_set("BLESS") {
        fs::write(golden, text).expect("the source folder is writable");
        return;
    }
    // Another compiler chooses other registers; what is above holds for each.
    if !percpu_tests::fixture::rustc(&["--version"]).starts_with("rustc 1.95.") {
        percpu_tests::tool::missing("rustc 1.95, whose code was reviewed");
        return;
    }
    let reviewed = fs::read_to_string(golden).expect("the reviewed text");
    assert!(text == reviewed, "the code has changed; review it and run with BLESS=1. It is now:\n{text}");
}

/// What has registers of 32 bytes is one function, also where the compiler sees all of the crate at once: a function of its own that it
/// made of a part of it would have to be handed them over in memory.
#[test]
fn the_looks_of_zeroing_are_no_calls() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/one_unit");
    let sites = Fixture::new(folder, "sites", "sites").release().variable("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    let data = fs::read(sites.build().file).expect("the built program");
    let file = object::File::parse(&*data).expect("an ELF file");
    // Mangled, a name has the length of each of its parts before it.
    let names = file.symbols().filter_map(|symbol| symbol.name().ok());
    let zeroing: Vec<&str> = names.filter(|name| name.contains("5chunk4zero")).collect();
    assert!(zeroing.iter().any(|name| name.contains("4zero4avx24zero")), "{zeroing:#?}");
    let parts = ["zero_by", "zero_together", "clear_line", "closure", "4long4look", "3any", "Step"];
    let outlined: Vec<_> = zeroing.iter().filter(|name| parts.iter().any(|part| name.contains(part))).collect();
    assert!(outlined.is_empty(), "{outlined:#?} of {zeroing:#?}");
}
