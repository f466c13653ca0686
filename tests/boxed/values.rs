//! What variables of each kind of type can do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use percpu_rt::{AllocError, LocalLock, PerCpuBox, PerCpuRef, per_cpu, possible_cpus, this_cpu};
use percpu_tests::pin;

/// Every operation of one integer type, next to the same on a plain value.
macro_rules! integers {
    ($($test:ident: $word:ty;)*) => {$(
        #[test]
        fn $test() {
            let boxed = PerCpuBox::try_new(5 as $word).expect("memory");
            let copies = possible_cpus().count() as $word;
            assert_eq!(boxed.sum(), copies.wrapping_mul(5));
            pin::on(pin::allowed()[0], || {
                boxed.write(40);
                boxed.inc();
                boxed.add(3);
                boxed.sub(2);
                boxed.dec();
                assert_eq!(boxed.read(), 41);
                assert_eq!((boxed.add_return(2), boxed.fetch_add(2), boxed.xchg(7)), (43, 43, 45));
                boxed.and(6);
                boxed.or(9);
                boxed.xor(1);
                assert_eq!(boxed.cmpxchg(14, 1), Ok(14));
                assert_eq!(boxed.cmpxchg(14, 2), Err(1));
                assert_eq!(boxed.read_on(this_cpu()), 1);
                let listed = boxed.iter().map(|(_, value)| value).fold(0 as $word, <$word>::wrapping_add);
                assert_eq!(listed, boxed.sum());
            });
        }
    )*};
}
integers! {
    of_u8: u8; of_u16: u16; of_u32: u32; of_u64: u64; of_usize: usize;
    of_i8: i8; of_i16: i16; of_i32: i32; of_i64: i64; of_isize: isize;
}

#[test]
#[cfg(all(target_arch = "x86_64", not(percpu_backend = "generic")))]
fn of_sixteen_bytes() {
    #[per_cpu]
    static WIDE: u128 = 7;
    let boxed = PerCpuBox::try_new(1_u128 << 100).expect("memory");
    pin::on(pin::allowed()[0], || {
        assert_eq!(boxed.cmpxchg(1 << 100, 3), Ok(1 << 100));
        assert_eq!(PerCpuRef::from(&boxed).read(), 3);
        assert_eq!(PerCpuRef::from(&WIDE).cmpxchg(7, 8), Ok(7));
        assert_eq!(WIDE.read(), 8);
    });
}

#[test]
fn other_words() {
    let flag = PerCpuBox::try_new(false).expect("memory");
    pin::on(pin::allowed()[0], || {
        flag.or(true);
        assert!(flag.read() && flag.xchg(false));
    });
    static TARGET: u32 = 7;
    // A pointer is not `Send`: one that is handed around is an option of an address, or a lock's value.
    let address = PerCpuBox::try_new(NonNull::from(&TARGET).addr().get()).expect("memory");
    assert_eq!(address.read(), (&raw const TARGET).addr());
}

#[test]
fn objects_lend_references_to_each_copy() {
    let names = PerCpuBox::try_new_with(|cpu| (cpu.index(), AtomicU64::new(1))).expect("memory");
    for (cpu, (index, count)) in names.iter() {
        assert_eq!(cpu.index(), *index);
        count.fetch_add(1, Relaxed);
    }
    assert!(possible_cpus().all(|cpu| names.on(cpu).1.load(Relaxed) == 2));
    let here = names.get_cpu_var();
    assert_eq!(here.cpu().index(), here.0);
    assert_eq!(names.with(|(_, count)| count.load(Relaxed)), 2);
    // What is a word in a static is an object here.
    static ONE: AtomicU64 = AtomicU64::new(1);
    let reference = PerCpuBox::try_new(&ONE).expect("memory");
    assert_eq!(reference.with(|one| one.load(Relaxed)), 1);
}

/// A reference beside operations would race with them.
#[test]
fn words_are_not_lent() {
    let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
    // Where the type is not known to be a word, `iter` is that of objects.
    fn listed<T: Send + Sync>(variable: &PerCpuBox<T>) {
        let _: Option<(_, &T)> = variable.iter().next();
    }
    listed(&PerCpuBox::try_new([0; 3]).expect("memory"));
    macro_rules! refused {
        ($($value:expr),*) => {$({
            let word = PerCpuBox::try_new($value).expect("memory");
            assert!(panics(&|| word.with(|_| ())));
            assert!(panics(&|| drop(word.get_cpu_var())));
            assert!(panics(&|| { let _ = word.on(this_cpu()); }));
            assert!(panics(&|| listed(&word)));
        })*};
    }
    refused!(0_u8, 0_u16, 0_u32, 0_u64, 0_usize, 0_i8, 0_i16, 0_i32, 0_i64, 0_isize, 0_u128, false);
    // 16 bytes with a sign have no operations.
    assert_eq!(PerCpuBox::try_new(1_i128).expect("memory").with(|value| *value), 1);
}

#[test]
fn locks_lock() {
    let cache = PerCpuBox::try_new_with(|_| LocalLock::new(Vec::new())).expect("memory");
    cache.with(|objects| objects.push(1));
    let cpu = pin::allowed()[0];
    pin::on(cpu, || {
        let held = cache.lock();
        assert!(cache.try_lock().is_none());
        drop(held);
        cache.lock_on(cpu).expect("Linux 5.10").push(2);
    });
    let total: usize = possible_cpus().map(|cpu| cache.lock_on(cpu).expect("Linux 5.10").len()).sum();
    assert_eq!(total, 2);
}

#[per_cpu]
static HITS: u32 = 0;
#[per_cpu]
static NAME: &str = "static";
#[per_cpu]
static LOCKED: LocalLock<u64> = LocalLock::new(0);

#[test]
fn functions_take_static_and_dynamic_ones() {
    fn count(counter: PerCpuRef<'_, u32>) -> u32 {
        let same = counter;
        same.inc();
        counter.sum()
    }
    let boxed = PerCpuBox::try_new(0).expect("memory");
    assert_eq!([(&HITS).into(), (&boxed).into(), (&HITS).into()].map(count), [1, 1, 2]);
    let name: PerCpuRef<'_, &str> = (&NAME).into();
    assert_eq!(name.with(|name| name.len()), 6);
    let lock: PerCpuRef<'_, LocalLock<u64>> = (&LOCKED).into();
    *lock.lock() += 1;
    let sum = possible_cpus().map(|cpu| *LOCKED.lock_on(cpu).expect("Linux 5.10")).sum::<u64>();
    assert_eq!(sum, 1);
}

#[test]
fn zeroed_ones_are_zero_also_where_others_were() {
    for _ in 0..3 {
        let used = PerCpuBox::try_new([u64::MAX; 40]).expect("memory");
        assert!(used.iter().all(|(_, copy)| *copy == [u64::MAX; 40]));
        drop(used);
        let zeroed = PerCpuBox::<[u64; 40]>::try_zeroed().expect("memory");
        assert!(zeroed.iter().all(|(_, copy)| *copy == [0; 40]));
    }
}

#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn sizes_and_alignments() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(align(1024))]
    struct Wide(u8);
    #[derive(Clone)]
    #[repr(align(4096))]
    struct Nothing;
    #[derive(Clone)]
    #[repr(align(65536))]
    struct TooWide;
    let wide = PerCpuBox::try_new(Wide(3)).expect("memory");
    assert!(wide.iter().all(|(_, copy)| std::ptr::from_ref(copy).addr().is_multiple_of(1024) && *copy == Wide(3)));
    let nothing = PerCpuBox::try_new(Nothing).expect("memory");
    assert!(nothing.iter().all(|(_, copy)| std::ptr::from_ref(copy).addr().is_multiple_of(4096)));
    assert!(matches!(PerCpuBox::try_new(TooWide), Err(AllocError::BadAlign { align: 65536, .. })));
    let large = PerCpuBox::<[u8; 3 << 20]>::try_zeroed().expect("memory");
    assert_eq!(large.on(this_cpu())[3 << 19], 0);
    assert_eq!(size_of::<Option<PerCpuBox<Mutex<u64>>>>(), size_of::<usize>());
}
