//! A variable has the visibility that it is given.

mod counters {
    use percpu_rt::per_cpu;

    #[per_cpu]
    static HITS: u64 = 0;

    pub fn hit() {
        HITS.inc();
    }
}

fn main() {
    counters::hit();
    counters::HITS.inc();
}
