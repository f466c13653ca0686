//! An access before set-up ends the process, and never reaches another CPU's initial value.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use percpu_tests::tool;

use super::{BEFORE_SET_UP, command, program, run};

const OPERATIONS: [&str; 13] = [
    "inc",
    "add_return",
    "write",
    "read",
    "xchg",
    "cmpxchg",
    "with",
    "get_cpu_var",
    "signal",
    "this_cpu",
    "this_cpu_ptr",
    "lock",
    "try_lock",
];

fn assert_every_access_dies(program: &Path) {
    for constructor in ["preinit", "init"] {
        for operation in OPERATIONS {
            let output = run(command(program).args([operation, constructor]));
            assert_eq!(output.status.signal(), Some(BEFORE_SET_UP), "{operation} in {constructor}: {output:?}");
            assert!(output.stdout.is_empty(), "{operation} in {constructor} went on: {output:?}");
        }
        for nothing in ["cpus", "alloc"] {
            let output = run(command(program).args([nothing, constructor]));
            assert_eq!(output.status.code(), Some(42), "{nothing} before set-up finds nothing: {output:?}");
        }
        // The control: a constructor that does nothing lets the program reach `main`, where everything works.
        let output = run(command(program).args(["nothing", constructor]));
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text, "main reached, count 1, initial [1, 2]\n", "{output:?}");
    }
}

#[test]
fn in_a_debug_build() {
    if !tool::skip_sanitized("a build by cargo") {
        assert_every_access_dies(&program("early").build().file);
    }
}

#[test]
fn in_a_release_build_of_16_codegen_units() {
    if !tool::skip_sanitized("a build by cargo") {
        assert_every_access_dies(&program("early").release().build().file);
    }
}
