//! Words beside the integers of 8 to 64 bits: `bool`, pointers and references, `u128`.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use percpu_rt::{per_cpu, possible_cpus};
use percpu_tests::pin;

static ONE: AtomicU64 = AtomicU64::new(1);
static TWO: AtomicU64 = AtomicU64::new(2);

/// Runs a test on one CPU, whose copies it then has for itself.
fn pinned(test: impl FnOnce() + Send) {
    pin::on(pin::allowed()[0], test);
}

#[test]
fn bools() {
    #[per_cpu]
    static FLAG: bool = true;
    pinned(|| {
        for before in [false, true] {
            for operand in [false, true] {
                FLAG.write(before);
                FLAG.and(operand);
                assert_eq!(FLAG.read(), before & operand);
                FLAG.write(before);
                FLAG.or(operand);
                assert_eq!(FLAG.read(), before | operand);
                FLAG.write(before);
                FLAG.xor(operand);
                assert_eq!(FLAG.read(), before ^ operand);
                FLAG.write(before);
                assert_eq!(FLAG.xchg(operand), before);
                let expected = if operand { Ok(true) } else { Err(false) };
                assert_eq!(FLAG.cmpxchg(true, !operand), expected);
                assert!(!FLAG.read());
            }
        }
        FLAG.write(true);
        assert!(FLAG.iter().all(|(_, flag)| flag), "the others are as they were linked");
    });
}

#[test]
fn references() {
    #[per_cpu]
    static CURRENT: &AtomicU64 = &ONE;
    #[per_cpu]
    static NEXT: Option<&'static AtomicU64> = Some(&TWO);
    assert!(CURRENT.iter().all(|(_, current)| ptr::eq(current, &ONE)));
    assert!(NEXT.iter().all(|(_, next)| next.is_some_and(|next| ptr::eq(next, &TWO))));
    pinned(|| {
        assert!(ptr::eq(CURRENT.xchg(&TWO), &ONE));
        assert_eq!(CURRENT.read().load(Ordering::Relaxed), 2);
        assert!(CURRENT.cmpxchg(&ONE, &ONE).is_err_and(|found| ptr::eq(found, &TWO)));
        assert!(CURRENT.cmpxchg(&TWO, &ONE).is_ok());
        assert!(ptr::eq(CURRENT.read(), &ONE));

        assert!(NEXT.xchg(None).is_some());
        assert!(NEXT.read().is_none());
        assert!(NEXT.cmpxchg(Some(&ONE), None).is_err_and(|found| found.is_none()));
        assert!(NEXT.cmpxchg(None, Some(&ONE)).is_ok_and(|found| found.is_none()));
        NEXT.write(None);
        assert_eq!(NEXT.iter().filter(|(_, next)| next.is_none()).count(), 1);
    });
}

#[test]
fn pointers() {
    static TARGETS: [u8; 2] = [3, 4];
    #[per_cpu]
    static READ_ONLY: *const u8 = &raw const TARGETS[0];
    #[per_cpu]
    static WRITABLE: *mut u64 = ptr::null_mut();
    #[per_cpu]
    static PRESENT: NonNull<u8> = NonNull::<u8>::dangling();
    #[per_cpu]
    static PERHAPS: Option<NonNull<u8>> = None;
    pinned(|| {
        let second = &raw const TARGETS[1];
        assert_eq!(READ_ONLY.cmpxchg(&raw const TARGETS[0], second), Ok(&raw const TARGETS[0]));
        assert_eq!(READ_ONLY.cmpxchg(ptr::null(), second), Err(second));
        // SAFETY: a pointer into the static, as it came back from the variable.
        assert_eq!(unsafe { READ_ONLY.read().read() }, 4);

        let mut target = 5_u64;
        WRITABLE.write(&raw mut target);
        // SAFETY: the local above, as its pointer came back.
        unsafe { *WRITABLE.xchg(ptr::null_mut()) += 1 };
        assert_eq!((target, WRITABLE.read()), (6, ptr::null_mut()));

        let present = NonNull::from(&TARGETS[0]);
        assert_eq!(PRESENT.xchg(present), NonNull::dangling());
        assert_eq!(PRESENT.read(), present);
        assert_eq!(PERHAPS.cmpxchg(None, Some(present)), Ok(None));
        assert_eq!(PERHAPS.cmpxchg(None, None), Err(Some(present)));
        PERHAPS.write(None);
    });
    assert!(possible_cpus().all(|cpu| PERHAPS.read_on(cpu).is_none()));
}

#[test]
#[cfg(all(target_arch = "x86_64", not(percpu_backend = "generic")))]
fn words_of_16_bytes() {
    const FIRST: u128 = 0x1111_2222_3333_4444_5555_6666_7777_8888;
    #[per_cpu]
    static WIDE: u128 = FIRST;
    pinned(|| {
        let mut random = percpu_tests::random::Random::printed();
        let mut model = FIRST;
        for _ in 0..1000 {
            let new = u128::from(random.operand()) << 64 | u128::from(random.operand());
            // One bit off, in either half.
            let wrong = model ^ 1 << random.below(128);
            assert_eq!(WIDE.cmpxchg(wrong, new), Err(model));
            assert_eq!(WIDE.read(), model);
            assert_eq!(WIDE.cmpxchg(model, new), Ok(model));
            model = new;
            assert_eq!(WIDE.read(), model);
        }
    });
    let copies = possible_cpus().map(|cpu| {
        // SAFETY: an aligned copy, which nobody writes any more.
        unsafe { WIDE.per_cpu_ptr(cpu).read() }
    });
    assert!(copies.filter(|&copy| copy == FIRST).count() >= possible_cpus().count() - 1);
}
