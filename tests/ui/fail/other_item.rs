//! Any other item is named in the message, and stays.

use percpu_rt::per_cpu;

#[per_cpu(hot)]
struct Hits;

fn main() {
    let _ = Hits;
}
