//! `cargo-percpu-link`: the tool as a subcommand of cargo.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args: Vec<_> = std::env::args_os().collect();
    // Cargo repeats the name of the subcommand in front of its arguments; a shell does not.
    if args.get(1).is_some_and(|word| word == "percpu-link") {
        args.remove(1);
    }
    percpu_link::main(args)
}
