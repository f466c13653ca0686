//! Variables with an owner: the same methods as a static's, copies that are made and dropped once, on every CPU.
//!
//! - `values`: what each kind of type can do; borrowed ones, static and dynamic. `ends`: drops, panics, forgotten boxes.
//! - `stock`: what CPUs keep of dropped ones. `emptied`: stocks that are emptied meanwhile, with the control.
//!   `exchange`: what its threads do.
//! - `unprotected`: the control of all the others, without sequences.
//! - `handlers`: boxes that handlers drop in the middle of the allocator's work.
//! - `storm`: all of it at once, with 35,000 live.
//! - `threads`: boxes that travel, exact under churn and signals. `counter`: `PerCpuCounter`, its bound and its limit.

mod counter;
mod emptied;
mod ends;
mod exchange;
mod handlers;
mod stock;
mod storm;
mod threads;
#[cfg(all(target_arch = "x86_64", not(percpu_backend = "generic"), not(feature = "checked")))]
mod unprotected;
mod values;
