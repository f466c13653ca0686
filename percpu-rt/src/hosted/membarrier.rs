//! Making a CPU restart its sequences, and all CPUs see what each other has stored.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::errno;
use crate::cpu::CpuId;

// include/uapi/linux/membarrier.h
const CMD_PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
const CMD_REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
const CMD_PRIVATE_EXPEDITED_RSEQ: libc::c_int = 1 << 7;
const CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ: libc::c_int = 1 << 8;
const CMD_FLAG_CPU: libc::c_uint = 1;

/// What this process has registered for: restarts (Linux 5.10) and barriers (Linux 4.14). Only success is kept: another thread
/// may be allowed what a sandbox has forbidden this one, and memory may come back.
static RESTARTS: AtomicBool = AtomicBool::new(false);
static BARRIERS: AtomicBool = AtomicBool::new(false);

fn is_registered(done: &AtomicBool, register: impl FnOnce() -> bool) -> bool {
    done.load(Relaxed) || {
        let registered = register();
        if registered {
            done.store(true, Relaxed);
        }
        registered
    }
}

/// Whether [`restart_sequences`] works; the first call registers the process for it.
pub(crate) fn can_restart_sequences() -> bool {
    is_registered(&RESTARTS, || {
        // One for nobody's CPU in particular tells whether the flag is known: registration is older.
        membarrier(CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) && membarrier(CMD_PRIVATE_EXPEDITED_RSEQ, CMD_FLAG_CPU, 0)
    })
}

/// Makes `cpu` restart the sequence that a thread of this process is in, if there is one, and everything before
/// this call visible to the sequences that follow.
///
/// To be called where [`can_restart_sequences`] said yes; false where the process has been forbidden it since. A CPU that is
/// offline has nothing to restart.
#[must_use]
pub(crate) fn restart_sequences(cpu: CpuId) -> bool {
    cpu.os_id().is_none_or(|cpu| membarrier(CMD_PRIVATE_EXPEDITED_RSEQ, CMD_FLAG_CPU, cpu.cast_signed()))
}

/// Puts a full barrier between what each thread of this process has done and what it does next; false where the kernel
/// cannot, or has been forbidden to.
#[must_use]
pub(crate) fn barrier_on_all_cpus() -> bool {
    is_registered(&BARRIERS, || membarrier(CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
        && membarrier(CMD_PRIVATE_EXPEDITED, 0, 0)
}

fn membarrier(command: libc::c_int, flags: libc::c_uint, cpu: libc::c_int) -> bool {
    // SAFETY: takes no pointers.
    errno::preserve(|| unsafe { libc::syscall(libc::SYS_membarrier, command, flags, cpu) == 0 })
}
