//! A static of a function belongs to that function, also where another has one of the same name.

use percpu_rt::per_cpu;

fn first() -> u64 {
    #[per_cpu]
    static HITS: u64 = 0;
    HITS.inc();
    HITS.sum()
}

fn second() -> u64 {
    HITS.add(2);
    #[per_cpu]
    static HITS: u64 = 0;
    {
        #[per_cpu]
        static HITS: u64 = 0;
        HITS.add(3);
    }
    HITS.sum()
}

fn generic<T>() -> u64 {
    #[per_cpu]
    static HITS: u64 = 0;
    HITS.inc();
    HITS.sum()
}

struct S;

impl S {
    fn method(&self) -> u64 {
        #[per_cpu]
        static HITS: u64 = 5;
        HITS.read()
    }
}

fn main() {
    assert_eq!((first(), first()), (1, 2));
    assert_eq!(second(), 2);
    assert_eq!((generic::<u8>(), generic::<u16>()), (1, 2));
    assert_eq!(S.method(), 5);
    let closure = || {
        #[per_cpu]
        static HITS: u64 = 6;
        HITS.read()
    };
    assert_eq!(closure(), 6);
}
