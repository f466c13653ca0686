//! A static does not see the generic parameters of its function.

use percpu_rt::per_cpu;

fn count<T: 'static>() {
    #[per_cpu]
    static HITS: Option<T> = None;
}

fn main() {
    count::<u64>();
}
