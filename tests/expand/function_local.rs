//! In a function body nothing but the two items of the variable's name is added.

use percpu_rt::per_cpu;

pub fn count() -> u64 {
    #[per_cpu]
    static CALLS: u64 = 0;
    CALLS.add_return(1)
}
