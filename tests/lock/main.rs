//! Nobody else has what a guard gives: threads that are moved, preempted and interrupted all the time, other CPUs that
//! claim, forks, panics and forgotten guards.
//!
//! - `load`: threads that lock this CPU's copy, and one on each CPU that locks all of them in turn.
//! - `wakes`: a thread that falls asleep over what another one frees.
//! - `exclusion`: both, exact; also without registrations and without `membarrier`, and the control, in which the claim's
//!   barrier does nothing.
//! - `stress`: what makes a missing barrier show, and the watchdog.
//! - `alone`: what a thread meets that locks what it holds, or what nobody will free.
//! - `fork`: what a child finds.

mod alone;
mod exclusion;
mod fork;
mod load;
mod stress;
mod wakes;
