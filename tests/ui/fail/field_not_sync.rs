//! A `RefCell` deep inside: the whole object is what cannot be shared.

use std::cell::RefCell;

use percpu_rt::per_cpu;

struct Cache {
    names: RefCell<Vec<String>>,
}

#[per_cpu]
static CACHE: Option<Cache> = None;

fn main() {
    CACHE.with(|cache| {
        if let Some(cache) = cache {
            cache.names.borrow_mut().clear();
        }
    });
}
