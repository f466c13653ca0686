//! `self-reference` in all forms that a pointer takes, on machines of every width and order.

use super::{AT, DATA, findings};
use crate::fixture::{ET_DYN, ET_EXEC, Elf, Section, data, object};
use crate::model::{Code, Severity};

/// `e_machine`, class, byte order, and the relocations for symbol plus addend and for load address plus addend.
const MACHINES: [(u16, bool, bool, u64, u64); 8] = [
    (62, true, false, 1, 8),
    (183, true, true, 257, 1027),
    (243, true, false, 2, 3),
    (22, true, true, 22, 12),
    (3, false, false, 1, 8),
    (40, false, true, 2, 23),
    (243, false, false, 1, 3),
    (20, false, true, 1, 22),
];

/// An image with four words in its template, `a` of one and `b` of three, and a section of relocations.
fn image(machine: (u16, bool, bool), kind: u16, words: [u64; 4], relocations: Option<(&'static str, &[u64])>) -> Elf {
    let (machine, is_64, is_big) = machine;
    let width = if is_64 { 8 } else { 4 };
    let symbols = vec![object("a", 1, AT, width), object("b", 1, AT + width, 3 * width), object("c", 2, AT + 4096, 8)];
    let mut elf = Elf { machine, is_64, is_big, kind, ..Elf::kernel(vec![], symbols) };
    let filled = |name, address, bytes: Vec<u8>| Section {
        bytes: Some(bytes.clone()),
        ..data(name, address, bytes.len() as u64, 8)
    };
    let template = filled(DATA, AT, elf.words(&words));
    elf.sections = vec![template, data(".data", AT + 4096, 8, 8)];
    if let Some((name, entries)) = relocations {
        let entries = elf.words(entries);
        elf.sections.push(filled(name, 0, entries));
    }
    elf
}

/// `r_info` of an entry.
fn info(is_64: bool, symbol: u64, kind: u64) -> u64 {
    if is_64 { symbol << 32 | kind } else { symbol << 8 | kind }
}

#[track_caller]
fn is_self_reference(elf: &Elf, verb: &str) {
    let found = findings(elf);
    assert_eq!(found.len(), 1, "{elf:?}: {found:?}");
    assert_eq!((found[0].code, found[0].severity), (Code::SelfReference, Severity::Error));
    assert_eq!(found[0].variable.as_deref(), Some("b"));
    let width = if elf.is_64 { 8 } else { 4 };
    let place = format!("`b`, at offset {width:#x} of the variable, {verb} to the template of `a`");
    assert!(found[0].message.starts_with(&place), "{}", found[0].message);
    assert!(found[0].help.contains("#[per_cpu(init = f)]"));
}

#[test]
fn relocations_with_addends_tell_for_certain() {
    for (machine, is_64, is_big, symbolic, relative) in MACHINES {
        let machine = (machine, is_64, is_big);
        let width = if is_64 { 8 } else { 4 };
        let place = AT + 2 * width;
        let build = |kind, name, entry: [u64; 3]| image(machine, kind, [0; 4], Some((name, &entry)));
        // By load address and by symbol, of the loader and kept by the linker.
        is_self_reference(&build(ET_DYN, ".rela.dyn", [place, info(is_64, 0, relative), AT]), "points");
        is_self_reference(&build(ET_DYN, ".rela.dyn", [place, info(is_64, 1, symbolic), 0]), "points");
        is_self_reference(&build(ET_EXEC, ".rela.data..percpu", [place, info(is_64, 1, symbolic), 0]), "points");
        let negative = if is_64 { 0_u64.wrapping_sub(8) } else { 0xffff_fffc };
        is_self_reference(&build(ET_DYN, ".rela.dyn", [place, info(is_64, 2, symbolic), negative]), "points");
        for clean in [
            [place, info(is_64, 0, relative), AT + 4096],
            [place, info(is_64, 0, relative), AT + 4 * width],
            [place, info(is_64, 3, symbolic), 0],
            [AT + 4096, info(is_64, 0, relative), AT],
            [place, info(is_64, 1, 0), 0],
        ] {
            let elf = build(ET_DYN, ".rela.dyn", clean);
            assert_eq!(findings(&elf), [], "{elf:?}");
        }
    }
}

#[test]
fn relocations_without_addends_have_them_in_the_word() {
    for (machine, is_64, is_big, symbolic, relative) in MACHINES {
        let machine = (machine, is_64, is_big);
        let width = if is_64 { 8 } else { 4 };
        let place = AT + 2 * width;
        let build = |kind, symbol, word| {
            image(machine, ET_DYN, [0, 0, word, 0], Some((".rel.dyn", &[place, info(is_64, symbol, kind)])))
        };
        is_self_reference(&build(relative, 0, AT), "points");
        is_self_reference(&build(symbolic, 1, 0), "points");
        assert_eq!(findings(&build(relative, 0, AT + 4096)), []);
        assert_eq!(findings(&build(symbolic, 3, 0)), []);
    }
}

#[test]
fn packed_relocations_are_unpacked() {
    for (machine, is_64, is_big, ..) in MACHINES {
        let machine = (machine, is_64, is_big);
        let build = |entries: &[u64], word| image(machine, ET_DYN, [0, 0, word, 0], Some((".relr.dyn", entries)));
        let width = if is_64 { 8 } else { 4 };
        is_self_reference(&build(&[AT + 2 * width], AT), "points");
        // The first word, then a bit for each of the following: the second of them.
        is_self_reference(&build(&[AT, 0b101], AT), "points");
        assert_eq!(findings(&build(&[AT + 2 * width], AT + 4096)), []);
        assert_eq!(findings(&build(&[AT, 0b10], AT)), []);
    }
}

#[test]
fn words_of_fixed_images_are_scanned() {
    for (machine, is_64, is_big, ..) in MACHINES {
        let machine = (machine, is_64, is_big);
        let build = |kind, words| image(machine, kind, words, None);
        is_self_reference(&build(ET_EXEC, [0, 0, AT, 0]), "may point");
        assert_eq!(findings(&build(ET_EXEC, [1, AT - 1, AT + 4096, 4])), []);
        assert_eq!(findings(&build(ET_DYN, [0, 0, AT, 0])), [], "where it moves, a number is no address");
        // Kept relocations know better.
        let kept = image(machine, ET_EXEC, [0, 0, AT, 0], Some((".rela.data..percpu", &[])));
        let width = if is_64 { 24 } else { 12 };
        let mut none = kept.clone();
        none.sections[2].bytes = Some(vec![0; width]);
        none.sections[2].size = width as u64;
        assert_eq!(findings(&none), []);
    }
}

#[test]
fn one_variable_is_one_finding() {
    let at = |word: u64| AT + 8 * word;
    let found = findings(&image((62, true, false), ET_EXEC, [at(0), at(0), at(1), at(3)], None));
    let messages: Vec<_> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(found.len(), 2, "{messages:?}");
    assert!(messages[0].starts_with("`a`, at offset 0x0"), "{messages:?}");
    assert!(messages[1].contains("(2 more like it in this variable)"), "{messages:?}");
    // Without symbols each word stands for itself.
    let stripped = Elf { symbols: vec![], ..image((62, true, false), ET_EXEC, [at(0), 0, at(1), 0], None) };
    let found = findings(&stripped);
    let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::SelfReference, Code::SelfReference, Code::NoSymbols]);
    assert_eq!(found[1].variable, None);
    assert!(found[1].message.starts_with("the template, at offset 0x10, may point to the template, offset 0x8"));
}
