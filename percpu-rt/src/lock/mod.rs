//! Exclusive access to a CPU's copy: `&mut T` without a shared atomic instruction on the fast path.
//!
//! A [`LocalLock`] has one lock word a CPU. `lock()` takes the word of the CPU it runs on, by a restartable sequence, and only
//! that CPU ever takes it from free to held; so taking it needs no `lock` prefix. Whoever holds a copy may migrate: what it
//! protects is reached through the guard, which names its copy.
//!
//! ```text
//!  one copy:  ┌─────────┬───────┬──────────┬─────────┬─── ─ ─
//!             │ state   │ claim │ owner    │ claimer │ value
//!             └─────────┴───────┴──────────┴─────────┴─── ─ ─
//!  state:  HELD     somebody has the value
//!          WAITERS  somebody sleeps until it changes
//!          CLAIM    somebody on another CPU wants it, or has it: lockers of this CPU sleep
//!
//!  lock      0 → HELD                     in a sequence on this CPU; anything else found: sleep
//!  unlock    HELD → 0                     in a sequence while still on this CPU and nothing else is set,
//!            clear HELD and WAITERS       else by an atomic, and wake every sleeper
//!  sleep     set WAITERS                  by a compare-exchange that is atomic and in a sequence, then wait
//!  lock_on   take `claim`; set CLAIM by an atomic; make that CPU restart its sequences; again, while a sequence
//!            has overwritten it; wait until HELD is gone
//! ```
//!
//! - Every sleeper is woken: one that has been moved to another CPU goes for another copy, and would leave the rest
//!   asleep.
//! - A sleeper marks the word in a sequence, so that no plain store of that CPU comes between, and by an atomic, so that no
//!   remote unlock does.
//! - Threads without restartable sequences share the orphan's copy, whose word is changed by atomics alone.
//!
//! # Lock order
//!
//! All copies of one lock are one place in a program's lock order, like one mutex: whoever holds a copy must not wait
//! for another copy of it. A thread that is about to sleep looks through the copies and panics if one is its own,
//! so a thread never waits for itself, even after it has been moved. In a forked child it panics where the holder is a
//! thread of the parent's; not where the fork fell between the two stores that take or free a copy and name its owner. Between different locks the usual rule holds: take them in one
//! order everywhere.
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
pub(crate) use owner::after_fork;
pub use raw::LocalLock;
