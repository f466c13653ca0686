//! Variables in this process: what they hold at first, what each operation does, and whose copy it touches.
//!
//! - `values`: initial values, alignment and addresses on every CPU.
//! - `cpus`: the CPUs there are, and their offsets.
//! - `steps`: Linux's own test of the operations, at every width.
//! - `model`: random operations beside a plain variable, and every byte around them.
//! - `words`: `bool`, pointers, references and `u128`.
//! - `fork`: a forked child.
//! - `unregistered`: all of these again, on the orphan's copies.

mod cpus;
mod fork;
mod init;
mod model;
mod steps;
mod unregistered;
mod values;
mod words;
