//! The whole room again in a process without restartable sequences, on the orphan's copies.
#![cfg(all(target_arch = "x86_64", not(percpu_backend = "generic")))]

use std::env;
use std::process::Command;

/// Tells the other process that it is the other one.
const AGAIN: &str = "PERCPU_TEST_UNREGISTERED";

#[test]
fn everything_holds_on_the_orphans_copies() {
    if env::var_os(AGAIN).is_some() {
        assert!(percpu_rt::this_cpu().is_orphan());
        return;
    }
    let mut again = Command::new(env::current_exe().expect("a test program knows its path"));
    again.env("GLIBC_TUNABLES", "glibc.pthread.rseq=0").env(AGAIN, "1");
    let output = again.output().expect("the test program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
