//! The control of all the others: where the kernel does not know of the sequences, places are doubled or lost.

use std::env;
use std::process::Command;
use std::thread;
use std::time::Duration;

use percpu_tests::alone::alone;
use percpu_tests::tool::{self, SANITIZED};

use crate::exchange::{self, FLAWS};

/// Variables that a thread of the eight on each CPU makes.
const COUNT: u64 = 300_000;

/// Set for a process without sequences.
const UNPROTECTED: &str = "PERCPU_TEST_UNPROTECTED";

/// A `struct rseq_cs` (include/uapi/linux/rseq.h), as each sequence has one.
#[repr(C, align(32))]
struct Descriptor {
    version_and_flags: [u32; 2],
    start: usize,
    length: usize,
    abort: usize,
}

unsafe extern "C" {
    // By the linker, around the section of this name.
    #[link_name = "__start___rseq_cs"]
    static FIRST: Descriptor;
    #[link_name = "__stop___rseq_cs"]
    static END: Descriptor;
}

/// Makes each sequence of this program empty to the kernel: an interrupted one just goes on.
fn disarm() {
    let first = (&raw const FIRST).cast_mut();
    let count = (&raw const END).addr().wrapping_sub(first.addr()) / size_of::<Descriptor>();
    assert!(count > 0, "sequences have descriptors");
    for index in 0..count {
        // SAFETY: a descriptor in a section that is writable, and of which the program knows nothing; whoever reads it is the kernel.
        unsafe { (&raw mut (*first.add(index)).length).write_volatile(0) };
    }
}

#[test]
fn with_sequences_none_is_doubled_or_lost() {
    if alone("unprotected::with_sequences_none_is_doubled_or_lost") {
        let count = if tool::is_set(SANITIZED) { 3000 } else { COUNT };
        assert_eq!(exchange::run(8, count, || thread::sleep(Duration::from_millis(1))), Ok(()));
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "it needs optimised code, as in .ci/run's `optimised`")]
fn without_sequences_it_shows() {
    if tool::skip_sanitized("the control") {
        return;
    }
    for _ in 0..100 {
        let mut command = Command::new(env::current_exe().expect("a test program knows its path"));
        command.args(["--exact", "unprotected::without_sequences", "--ignored"]).env(UNPROTECTED, "1");
        let output = command.output().expect("the test program runs");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        if FLAWS.iter().any(|flaw| text.contains(flaw)) {
            println!("{text}");
            return;
        }
        assert!(text.contains("1 passed"), "the control was not run: {text}");
    }
    panic!("nothing was doubled or lost although no sequence was restarted: the load is too light to prove anything");
}

#[test]
#[ignore = "the control's own process: it is expected to fail"]
fn without_sequences() {
    if env::var_os(UNPROTECTED).is_some() {
        disarm();
        assert_eq!(exchange::run(8, COUNT, || thread::sleep(Duration::from_millis(1))), Ok(()));
    }
}
