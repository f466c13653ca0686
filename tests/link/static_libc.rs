//! glibc linked into the program: no symbols to look up, and exact all the same.

use std::path::Path;

use percpu_tests::{fixture, tool};

use super::{assert_counts, command, program};

#[test]
fn a_static_program_counts_with_and_without_registration() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    if !["/usr/lib/x86_64-linux-gnu/libc.a", "/usr/lib/aarch64-linux-gnu/libc.a", "/usr/lib64/libc.a"]
        .iter()
        .any(|file| Path::new(file).exists())
    {
        return tool::missing("static glibc (libc.a)");
    }
    if !fixture::host().ends_with("-gnu") {
        return tool::missing("glibc");
    }
    for fixture in [program("counts"), program("counts").release()] {
        let built = fixture.flag("-Ctarget-feature=+crt-static").build();
        let plain = assert_counts(&mut command(&built.file));
        let without = assert_counts(command(&built.file).env("GLIBC_TUNABLES", "glibc.pthread.rseq=0"));
        if !cfg!(percpu_backend = "generic") {
            assert!(plain.contains("orphan false"), "{plain}");
            assert!(without.contains("orphan true"), "{without}");
        }
    }
}
