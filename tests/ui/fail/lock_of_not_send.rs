//! `&mut` to what must not leave its thread, from whichever thread runs on this CPU.

use std::rc::Rc;

use percpu_rt::{LocalLock, per_cpu};

#[per_cpu]
static SHARED: LocalLock<Option<Rc<u64>>> = LocalLock::new(None);

fn main() {
    SHARED.lock().take();
    SHARED.with(|shared| *shared = None);
}
