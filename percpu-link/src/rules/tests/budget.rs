//! The budget, and what settings make of findings.

use super::{judged, placed};
use crate::exit::Exit;
use crate::fixture::Elf;
use crate::model::{Code, Severity};
use crate::settings::Settings;

#[test]
fn a_budget_is_kept_to_the_byte() {
    let elf = placed("v", 1);
    let of = |max_static, max_unit| judged(&elf, &Settings { max_static, max_unit, ..Settings::default() });
    let within = of(Some(32), Some(40_960));
    assert_eq!((within.findings.as_slice(), Exit::of(&within)), (&[][..], Exit::Good));
    within.assert_clean();
    let over = of(Some(31), Some(40_959));
    let messages: Vec<_> = over.failures().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the static size is 32 bytes, 1 more than `max-static` allows",
            "the unit size is 40960 bytes, 1 more than `max-unit` allows"
        ]
    );
    assert!(over.findings[0].help.contains("`v` with 8 bytes"));
    assert_eq!(Exit::of(&over), Exit::OverBudget);
}

#[test]
#[should_panic(expected = "error[over-budget]: the static size is 32 bytes")]
fn a_test_of_the_budget_says_what_is_over() {
    judged(&placed("v", 1), &Settings { max_static: Some(0), ..Settings::default() }).assert_clean();
}

#[test]
fn what_is_denied_fails_and_what_is_wrong_comes_first() {
    let elf = Elf { symbols: vec![], ..placed("v", 1) };
    let noted = judged(&elf, &Settings::default());
    assert_eq!((noted.findings[0].severity, Exit::of(&noted)), (Severity::Note, Exit::Good));
    let deny = vec![Code::NoSymbols];
    let denied = judged(&elf, &Settings { deny, max_static: Some(0), ..Settings::default() });
    assert!(denied.findings.iter().all(|finding| finding.severity == Severity::Error));
    assert_eq!(Exit::of(&denied), Exit::Denied);
}
