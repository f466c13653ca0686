//! A function is not a variable; it stays callable.

use percpu_rt::per_cpu;

#[per_cpu]
pub const unsafe extern "C" fn hits() {}

fn main() {
    let _: unsafe extern "C" fn() = hits;
}
