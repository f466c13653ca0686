//! A handle is a static like any other: it has a visibility, is re-exported and referred to.

mod counters {
    use percpu_rt::per_cpu;

    #[per_cpu]
    pub static PUBLIC: u64 = 0;

    #[per_cpu]
    pub(crate) static INTERNAL: u64 = 0;

    pub mod inner {
        use percpu_rt::per_cpu;

        #[per_cpu]
        pub(in crate::counters) static NARROW: u64 = 0;

        #[per_cpu]
        pub(super) static NARROWER: u64 = 0;
    }

    pub fn inner_sum() -> u64 {
        inner::NARROW.inc();
        inner::NARROWER.inc();
        inner::NARROW.sum() + inner::NARROWER.sum()
    }
}

pub use counters::PUBLIC as HITS;

fn main() {
    HITS.inc();
    counters::PUBLIC.inc();
    let borrowed = &counters::INTERNAL;
    borrowed.inc();
    std::thread::spawn(|| counters::INTERNAL.inc()).join().unwrap();
    assert_eq!((HITS.sum(), borrowed.sum(), counters::inner_sum()), (2, 2, 2));
}
