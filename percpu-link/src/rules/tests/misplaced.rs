//! `misplaced` for variables, sections and boundaries.

use percpu_rt::abi::symbol::THIS_CPU_OFF;

use super::{AT, findings, judged, placed};
use crate::fixture::{ET_REL, Elf, data, object, zeros};
use crate::model::{Code, Severity};
use crate::settings::Settings;

/// A template's symbol, as rustc mangles it.
const TEMPLATE: &str =
    "_ZN58_$LT$app..HITS$u20$as$u20$percpu_rt..var..place..Place$GT$7address17__PERCPU_TEMPLATE17h0123456789abcdefE";

#[track_caller]
fn is_misplaced(elf: &Elf, variable: Option<&str>, message: &str) {
    let found = findings(elf);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code, found[0].severity), (Code::Misplaced, Severity::Error));
    assert_eq!(found[0].variable.as_deref(), variable);
    assert_eq!(found[0].message, message);
    assert!(found[0].help.contains("percpu.x"), "{}", found[0].help);
}

#[test]
fn templates_elsewhere_are_misplaced() {
    assert!(TEMPLATE.contains(percpu_rt::abi::symbol::TEMPLATE_SUFFIX.rsplit("::").next().unwrap()));
    for (symbol, name) in [(TEMPLATE, "app::HITS"), (THIS_CPU_OFF, THIS_CPU_OFF)] {
        let message = format!("the template of `{name}` lies in `.data`, which is copied to no CPU");
        is_misplaced(&placed(symbol, 2), Some(name), &message);
        assert_eq!(findings(&placed(symbol, 1)), []);
        // Merged into the ordinary data altogether: there is no section left.
        let mut merged = placed(symbol, 2);
        merged.sections[0].name = ".bss";
        merged.symbols.drain(..2);
        is_misplaced(&merged, Some(name), &message);
        assert_eq!(judged(&merged, &Settings::default()).static_size, 0);
    }
    let mut two = placed(TEMPLATE, 2);
    two.symbols.push(object(THIS_CPU_OFF, 2, AT + 4104, 8));
    let message = "the templates of `app::HITS` and 1 more lie in `.data`, which is copied to no CPU";
    is_misplaced(&two, Some("app::HITS"), message);
}

#[test]
fn sections_left_alone_are_misplaced() {
    for name in [".data..percpu.HITS", ".data..percpu..hot.HITS", ".bss..percpu.HITS"] {
        let mut elf = placed("v", 1);
        elf.sections.push(data(name, AT + 8192, 8, 8));
        let message = format!("`{name}` is a section of its own, outside of `.data..percpu`, and copied to no CPU");
        is_misplaced(&elf, None, &message);
        // Before linking that is how it should be.
        assert_eq!(findings(&Elf { kind: ET_REL, ..elf }), []);
    }
    let mut elf = placed("v", 1);
    elf.sections.extend([data(".data..percpu.gone", AT + 8192, 0, 8), data(".data..percpuish", AT + 8192, 8, 8)]);
    assert_eq!(findings(&elf), []);
}

#[test]
fn boundaries_enclose_the_template() {
    let bounded = |start, end| {
        let mut elf = placed("v", 1);
        elf.sections.push(zeros(".bss..percpu", AT + 32, 16, 8));
        elf.symbols[0].address = start;
        elf.symbols[1].address = end;
        elf
    };
    assert_eq!(findings(&bounded(AT, AT + 48)), []);
    assert_eq!(findings(&bounded(AT - 4, AT + 64)), []);
    is_misplaced(
        &bounded(AT, AT + 32),
        None,
        "`.bss..percpu` at 0x2020..0x2030 is not enclosed by `__per_cpu_start` and `__per_cpu_end` at 0x2000..0x2020, so it \
         is not copied as a whole",
    );
    assert_eq!(findings(&bounded(AT + 8, AT + 40)).len(), 2);
}
