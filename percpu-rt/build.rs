//! Hands the linker fragment to every final link of a program with per-CPU variables.
fn main() {}
