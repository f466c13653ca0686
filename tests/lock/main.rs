//! Nobody else has what a guard gives: threads that are moved, preempted and interrupted all the time, other CPUs that
//! claim, forks, panics and forgotten guards.
//!
//! - `load`: threads that lock this CPU's copy, and one that locks all of them in turn.
//! - `exclusion`: the load, exact; also without registrations, and the control, in which the claim's barrier does
//!   nothing.
//! - `alone`: what a thread meets that locks what it holds, or what nobody will free.
//! - `fork`: what a child finds.

mod alone;
mod exclusion;
mod fork;
mod load;
