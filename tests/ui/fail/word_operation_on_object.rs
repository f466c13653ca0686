//! An object has no arithmetic: what lacks it, a float and an option among them, is borrowed.

use percpu_rt::per_cpu;

#[per_cpu]
static LOAD: f64 = 0.0;

#[per_cpu]
static LAST: Option<u32> = None;

#[per_cpu]
static NAMES: Vec<String> = Vec::new();

fn main() {
    LOAD.add(0.5);
    let _: f64 = LOAD.read() + 1.0;
    LAST.write(Some(1));
    NAMES.inc();
    println!("{}", NAMES.sum());
}
