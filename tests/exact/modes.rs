//! The tortures in processes of their own: without restartable sequences, with them in half the threads, in valgrind.

use std::env;
use std::process::Command;

use percpu_tests::tool;

/// How the threads of a process are registered, as its parent has arranged and tells it by this variable.
const EXPECT: &str = "PERCPU_TEST_REGISTERED";

/// Asks for a thousandth of the load.
pub(crate) const SHORT: &str = "PERCPU_TEST_SHORT";

/// The tortures alone, one after the other.
const TORTURES: [&str; 3] = ["tortures::", "--test-threads=1", "--nocapture"];

/// On a worker, first of all: makes it a thread as the parent process wants them.
pub(crate) fn prepare(worker: usize) {
    let expected = match env::var(EXPECT).as_deref() {
        Ok("none") => false,
        Ok("half") if worker.is_multiple_of(2) => true,
        Ok("half") => {
            // Where the kernel does not take the registration back, the check below says so.
            unregister::this_thread();
            false
        }
        _ => return,
    };
    if percpu_rt::this_cpu().is_orphan() == expected {
        eprintln!("worker {worker} is registered: {}, but should be: {expected}", !expected);
        // A panic would leave the other workers waiting.
        std::process::abort();
    }
}

#[track_caller]
fn assert_passes(command: &mut Command) {
    let output = command.output().expect("the test program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}", output.status);
    assert!(text.contains("bits_stay_as_they_were_set ... "), "the tortures were not run");
}

fn tortures() -> Command {
    let mut command = Command::new(env::current_exe().expect("a test program knows its path"));
    command.args(TORTURES);
    command
}

/// Else every torture would be one of the orphan's `lock`ed operations.
#[test]
#[cfg_attr(percpu_backend = "generic", ignore = "it needs no registration")]
fn threads_are_registered() {
    if percpu_rt::this_cpu().is_orphan() {
        tool::missing("restartable sequences (Linux 4.18, glibc 2.35, x86-64)");
    }
}

#[test]
#[cfg_attr(percpu_backend = "generic", ignore = "it needs no registration")]
fn without_registration() {
    assert_passes(tortures().env("GLIBC_TUNABLES", "glibc.pthread.rseq=0").env(EXPECT, "none"));
}

#[test]
#[cfg_attr(percpu_backend = "generic", ignore = "it needs no registration")]
fn with_half_the_threads_registered() {
    assert_passes(tortures().env(EXPECT, "half"));
}

#[test]
fn in_valgrind() {
    if tool::skip_sanitized("valgrind") {
        return;
    }
    let Some(valgrind) = tool::require("valgrind") else { return };
    let mut command = Command::new(valgrind);
    // Valgrind runs one thread at a time, and by itself rarely another.
    command
        .args(["-q", "--error-exitcode=9", "--fair-sched=yes"])
        .arg(env::current_exe().expect("a test program knows its path"));
    assert_passes(command.args(TORTURES).env(SHORT, "1"));
}

/// Takes back what glibc has registered.
mod unregister {
    /// `RSEQ_FLAG_UNREGISTER` of Linux's include/uapi/linux/rseq.h.
    const UNREGISTER: libc::c_int = 1;
    /// `RSEQ_SIG` of the architecture.
    #[cfg(target_arch = "x86_64")]
    const SIGNATURE: u32 = 0x5305_3053;

    /// Ends the calling thread's registration, where the kernel lets it.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn this_thread() {
        // SAFETY: a C string.
        let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()) }.cast::<isize>();
        if symbol.is_null() {
            return;
        }
        // SAFETY: glibc's `const ptrdiff_t`. The number of a thread is its thread pointer on this architecture.
        let area = unsafe { (libc::pthread_self() as usize).wrapping_add_signed(*symbol) };
        // The kernel wants the length that was registered: glibc's first one, or the system's feature size rounded up.
        let _ = (32..=256_usize).step_by(32).any(|length| {
            // SAFETY: takes a registration back, or fails; the kernel then forgets about the area.
            unsafe { libc::syscall(libc::SYS_rseq, area, length, UNREGISTER, SIGNATURE) == 0 }
        });
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn this_thread() {}
}
