//! Counts on several threads, then prints the unit size and the total. Waits for its input to end if it is told to.

use percpu_rt::{per_cpu, unit_size};

#[per_cpu]
static HITS: u64 = 0;

fn main() {
    if std::env::args().any(|arg| arg == "wait") {
        println!("waiting");
        let _ = std::io::read_to_string(std::io::stdin());
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| HITS.inc()));
        }
    });
    println!("{} {}", unit_size(), HITS.sum());
}
