//! Exclusive access to a CPU's copy: `&mut T` without a shared atomic instruction on the fast path.
//!
//! A [`LocalLock`] has one set of words a CPU. `lock()` takes those of the CPU it runs on, by a restartable sequence, and only
//! that CPU ever takes them from free to held by a locker; so taking needs no `lock` prefix. Whoever holds a copy may migrate: what
//! it protects is reached through the guard, which names its copy, and only the holder changes `owner` then; so freeing is a
//! plain store, on whichever CPU.
//!
//! ```text
//!  one copy:  ┌─────────┬─────────┬──────────┬─── ─ ─
//!             │ owner   │ claimer │ sleepers │ value
//!             └─────────┴─────────┴──────────┴─── ─ ─
//!  owner     the thread that has the value, or 0
//!  claimer   the thread that wants it from another CPU, or has it, or 0: lockers of this CPU sleep
//!  sleepers  odd while somebody sleeps until the copy is freed; counts up
//!
//!  lock      owner: 0 → me, while claimer is 0           a store in a sequence on this CPU
//!  unlock    owner: me → 0; if sleepers is odd,          a store, a load
//!            make it even and wake all
//!  sleep     make sleepers odd; a barrier on all CPUs;   a system call of the sleeper's
//!            look again; wait until sleepers changes
//!  lock_on   claimer: 0 → me, by an atomic; make that    a system call of the claimer's
//!            CPU restart its sequences; owner: 0 → me,
//!            by an atomic, after sleeping while it is not 0
//! ```
//!
//! - Unlocking stores and then looks for sleepers, a sleeper tells and then looks at the store. Both need a barrier between the
//!   two, or each may miss the other. Unlocking leaves its own to the sleeper, which has the kernel put one into whatever
//!   every CPU does (`membarrier`). Where the kernel refuses, a sleeper looks again every millisecond. The portable backend
//!   has a fence on either side.
//! - A claim is the same bargain: a sequence that found no claimer has stored its owner by the time the system call returns, or
//!   starts again and finds one.
//! - Every sleeper is woken: one that has been moved to another CPU goes for another copy, and would leave the rest
//!   asleep. The count keeps a sleeper awake whose mark has been taken away and set again by another one meanwhile.
//! - Threads without restartable sequences share the orphan's copy, whose owner is taken by atomics alone.
//! - The holder's name is what makes the copy held, so there is no moment, and no fork, at which a held copy has no name.
//!
//! A platform supplies `wait` and `wake_all`, a barrier on all CPUs, and a way to make one CPU restart; a backend supplies
//! `acquire`. In a kernel that is two loads and a store with interrupts off, which stay off until the guard is dropped; so nobody
//! sleeps, and nobody claims.
//!
//! [`LocalLock`] has the rules of lock order.
//!
//! - `owner`: which thread, and on which side of a fork.
//! - `raw`: a lock, and where its copies are. `steps`: what is done with the words of one copy; `models` tries every
//!   interleaving of it. `claim`: taking another CPU's copy.
//! - `handle`: the methods of the handle. `guard`: what they return.

mod claim;
mod guard;
mod handle;
#[cfg(all(test, loom))]
mod models;
mod owner;
mod raw;
mod steps;

pub use claim::LockOnError;
pub use guard::LocalLockGuard;
#[cfg(platform = "hosted")]
pub(crate) use owner::after_fork;
pub use raw::LocalLock;
