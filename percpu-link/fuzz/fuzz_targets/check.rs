//! No input makes `check` panic, and a check that nothing fails is one with nothing to say or to note.

#![no_main]

use libfuzzer_sys::fuzz_target;
use percpu_link::Settings;
use percpu_link::model::{Code, Severity};

fuzz_target!(|bytes: &[u8]| {
    let settings = Settings { max_static: Some(64), deny: vec![Code::NoSymbols], ..Settings::default() };
    let Ok(report) = percpu_link::check(percpu_link_fuzz::file(bytes), &settings) else { return };
    let is_over = report.findings.iter().any(|finding| finding.code == Code::OverBudget);
    assert_eq!(is_over, report.static_size > 64);
    for finding in &report.findings {
        assert!(finding.severity == Severity::Error || finding.code == Code::DamagedDebugInfo);
    }
});
