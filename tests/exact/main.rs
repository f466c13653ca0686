//! Nothing is lost and nothing counted twice: threads that are moved, preempted and interrupted all the time.
//!
//! - `worker`: the load, the same for all.
//! - `tortures`: one test an operation, each with a total that has to be exact.
//! - `control`: the same load on an unprotected sequence, which must lose updates; else the tortures prove nothing.
//! - `modes`: the tortures again, in processes without restartable sequences, with them in half the threads, and in
//!   valgrind.

mod control;
mod modes;
mod tortures;
mod worker;
