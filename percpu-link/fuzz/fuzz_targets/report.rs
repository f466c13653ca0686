//! No input makes `report` panic, and what it reports lies inside of what it reports on.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(report) = percpu_link::report(percpu_link_fuzz::file(bytes)) else { return };
    for variable in &report.variables {
        assert!(variable.offset <= report.static_size);
    }
    for hole in &report.holes {
        assert!(hole.size > 0 && hole.offset + hole.size <= report.static_size);
    }
});
