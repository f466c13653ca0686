//! An object is shared: `&mut` is what `LocalLock` is for.

use percpu_rt::{per_cpu, this_cpu};

#[per_cpu]
static NAMES: Vec<String> = Vec::new();

fn main() {
    NAMES.lock().push(String::new());
    NAMES.lock_on(this_cpu()).unwrap().clear();
}
