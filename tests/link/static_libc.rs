//! glibc linked into the program: no symbols to look up, and exact all the same.

use percpu_tests::tool;

use super::{assert_counts, command, has_static_libc, program};

#[test]
fn a_static_program_counts_with_and_without_registration() {
    if tool::skip_sanitized("a build by cargo") || !has_static_libc() {
        return;
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
