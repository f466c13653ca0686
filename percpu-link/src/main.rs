//! `percpu-link`: the tool under its own name, for plain files.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    percpu_link::main(std::env::args_os())
}
