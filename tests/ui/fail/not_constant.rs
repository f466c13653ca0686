//! The initializer is copied, so it has to be a constant.

use percpu_rt::per_cpu;

#[per_cpu]
static NAME: String = String::from("none");

fn main() {}
