//! A trait of the user's for variables may use names that stand in messages: it is called by its path.

use percpu_rt::{IsWord, PerCpu, per_cpu};

#[per_cpu]
static HITS: u64 = 3;

/// What another library calls `load`, as atomics do.
trait Load {
    fn load(&self) -> u64;
}

impl<P> Load for PerCpu<P, u64, IsWord> {
    fn load(&self) -> u64 {
        7
    }
}

trait Peek {
    fn peek(&self) -> &'static str;
}

impl<P, T, K> Peek for PerCpu<P, T, K> {
    fn peek(&self) -> &'static str {
        "a variable"
    }
}

fn main() {
    assert_eq!(Load::load(&HITS), 7);
    assert_eq!(HITS.peek(), "a variable");
    assert_eq!(HITS.sum(), HITS.iter().map(|(_, hits)| hits).sum());
}
