//! Processes in which `membarrier` does nothing: what it is needed for has to fail there.

use std::env;
use std::process::Command;

/// Set for a process in which `membarrier` answers with this number, 0 for success, without doing anything.
const NO_BARRIER: &str = "PERCPU_TEST_NO_BARRIER";

/// Runs an ignored test of this program where the system call answers with `error`; all that it prints.
///
/// # Panics
///
/// Where the program cannot be started.
#[must_use]
pub fn output_without(test: &str, error: i32) -> String {
    let mut command = Command::new(env::current_exe().expect("a test program knows its path"));
    // A watchdog ends the process within the test: what it says before would be lost with what the test library keeps.
    command.args(["--exact", test, "--ignored", "--nocapture"]).env(NO_BARRIER, error.to_string());
    let output = command.output().expect("the test program runs");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    format!("{said}{}", output.status)
}

/// Makes the system call answer as the environment says in this process, and do nothing; false where it says nothing.
///
/// # Panics
///
/// Where the environment says something else than a number, or the kernel refuses.
#[must_use]
pub fn disarm() -> bool {
    let Some(error) = env::var(NO_BARRIER).ok() else { return false };
    let error: u32 = error.parse().expect("a number of an error");
    let load_number =
        libc::sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: 0 };
    let is_membarrier = libc::sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        jt: 0,
        jf: 1,
        k: libc::SYS_membarrier as u32,
    };
    let answer = |value| libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: value };
    // An "error" of number 0 is what the caller takes for success.
    let mut filter =
        [load_number, is_membarrier, answer(libc::SECCOMP_RET_ERRNO | error), answer(libc::SECCOMP_RET_ALLOW)];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: a filter that lives across the call; what it changes is this process alone.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    assert!(done, "a process may restrict itself");
    true
}
