//! Initial values, alignment and addresses, on every CPU.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use percpu_rt::{CpuId, per_cpu, per_cpu_offset, possible_cpus};
use percpu_tests::pin;

fn twice(number: u32) -> u32 {
    2 * number
}

static SHARED: AtomicU64 = AtomicU64::new(7);

/// Everything that needs a relocation or has an odd size.
struct Mixed {
    text: &'static str,
    function: fn(u32) -> u32,
    shared: &'static AtomicU64,
    bytes: [u8; 3],
    optional: Option<&'static AtomicU64>,
}

#[per_cpu]
static MIXED: Mixed = Mixed { text: "text", function: twice, shared: &SHARED, bytes: [1, 2, 3], optional: None };

#[per_cpu]
static FUNCTIONS: [fn(u32) -> u32; 2] = [twice, |number| number + 1];

#[test]
fn initial_values_are_on_every_cpu() {
    for (cpu, mixed) in MIXED.iter() {
        assert_eq!((mixed.text, (mixed.function)(21), mixed.bytes), ("text", 42, [1, 2, 3]), "{cpu}");
        assert_eq!(mixed.shared.load(Ordering::Relaxed), 7);
        assert!(mixed.optional.is_none());
        assert_eq!(FUNCTIONS.on(cpu).map(|function| function(5)), [10, 6]);
    }
    let copies: HashSet<_> = MIXED.iter().map(|(_, copy)| &raw const *copy).collect();
    assert_eq!(copies.len(), possible_cpus().count(), "every CPU has a copy of its own");
}

/// A word and an object of each class, with the alignment that the class promises.
#[test]
fn every_class_is_on_every_cpu() {
    macro_rules! class {
        ($align:literal, $($class:ident)?, $word:literal, $object:literal) => {{
            #[per_cpu($($class)?)]
            static WORD: u64 = $word;
            #[per_cpu($($class)?)]
            static OBJECT: [u64; 3] = [$object; 3];
            for cpu in possible_cpus() {
                assert_eq!((WORD.read_on(cpu), *OBJECT.on(cpu)), ($word, [$object; 3]));
                assert_eq!(WORD.per_cpu_ptr(cpu).addr() % $align, 0);
                assert_eq!(OBJECT.per_cpu_ptr(cpu).addr() % $align, 0);
            }
        }};
    }
    class!(8, , 1, 2);
    class!(4096, page_aligned, 3, 4);
    class!(64, shared_aligned, 5, 6);
    class!(8, read_mostly, 7, 8);
    class!(8, hot, 9, 10);
    class!(8, zeroed, 0, 0);
}

#[test]
fn alignment_holds_on_every_cpu() {
    macro_rules! aligned {
        ($($align:literal)*) => {$({
            #[repr(align($align))]
            struct Aligned(u8);
            #[per_cpu]
            static ALIGNED: Aligned = Aligned(9);
            // An odd neighbour, so that nothing is aligned by chance.
            #[per_cpu]
            static ODD: [u8; 3] = [1; 3];
            for (cpu, copy) in ALIGNED.iter() {
                assert_eq!((&raw const *copy).addr() % $align, 0, "{cpu}");
                assert_eq!((copy.0, ODD.on(cpu)), (9, &[1; 3]));
            }
        })*};
    }
    aligned!(64 256 4096 8192);
}

#[test]
fn zero_sized_types_have_a_place() {
    #[derive(Debug, PartialEq)]
    struct Empty;
    #[per_cpu]
    static UNIT: () = ();
    #[per_cpu(zeroed)]
    static EMPTY: Empty = Empty;
    #[per_cpu]
    static NONE: [u64; 0] = [];
    assert_eq!(UNIT.with(|unit| *unit), ());
    for cpu in possible_cpus() {
        assert_eq!((EMPTY.on(cpu), NONE.on(cpu).len()), (&Empty, 0));
        assert_eq!(NONE.per_cpu_ptr(cpu).addr() % 8, 0);
    }
}

/// The remedy for a template that would have to point at itself.
#[test]
fn initializers_have_run_on_every_copy() {
    struct Ring {
        own: *const Ring,
        cpu: usize,
        seed: u32,
    }
    // SAFETY: `own` is only compared.
    unsafe impl Sync for Ring {}
    /// # Safety
    ///
    /// `ring` is a copy that nobody else uses.
    unsafe fn tie(cpu: CpuId, ring: *mut Ring) {
        // SAFETY: the caller's copy.
        unsafe {
            (*ring).own = ring;
            (*ring).cpu = cpu.index();
            (*ring).seed += 1;
        }
    }
    #[per_cpu(init = tie)]
    static RING: Ring = Ring { own: std::ptr::null(), cpu: usize::MAX, seed: 41 };
    for (cpu, ring) in RING.iter() {
        assert_eq!((ring.own, ring.cpu, ring.seed), (&raw const *ring, cpu.index(), 42));
    }
}

#[test]
fn a_write_is_seen_on_its_cpu_alone() {
    #[per_cpu]
    static WRITTEN: u64 = 1;
    let mut expected: Vec<u64> = possible_cpus().map(|_| 1).collect();
    for (turn, cpu) in pin::allowed().into_iter().enumerate() {
        let value = 100 + turn as u64;
        let number = pin::on(cpu, || {
            WRITTEN.write(value);
            assert_eq!(WRITTEN.read(), value);
            WRITTEN.per_cpu_ptr(percpu_rt::this_cpu()) == WRITTEN.this_cpu_ptr()
        });
        assert!(number, "this CPU's pointer is that of the CPU it names");
        let here = pin::on(cpu, percpu_rt::this_cpu);
        expected[possible_cpus().position(|each| each == here).expect("a possible CPU")] = value;
        assert_eq!(WRITTEN.iter().map(|(_, value)| value).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_loops_agree() {
    #[per_cpu]
    static COUNTS: u64 = 3;
    for cpu in possible_cpus() {
        // SAFETY: nothing relies on it for memory safety.
        unsafe { COUNTS.write_on(cpu, u64::MAX / 2 + cpu.index() as u64) };
    }
    let by_hand = possible_cpus().map(|cpu| COUNTS.read_on(cpu)).fold(0, u64::wrapping_add);
    let by_iter = COUNTS.iter().map(|(_, count)| count).fold(0, u64::wrapping_add);
    assert_eq!((COUNTS.sum(), by_iter), (by_hand, by_hand));
    assert!(COUNTS.iter().map(|(cpu, _)| cpu).eq(possible_cpus()));
}

#[test]
fn a_copy_is_at_the_template_plus_the_offset() {
    #[per_cpu]
    static PLACED: u16 = 0xabcd;
    let template = |cpu| PLACED.per_cpu_ptr(cpu).addr().wrapping_add_signed(-per_cpu_offset(cpu));
    let templates: HashSet<_> = possible_cpus().map(template).collect();
    assert_eq!(templates.len(), 1, "the same template for all");
    let template = *templates.iter().next().expect("one");
    assert!(crate::cpus::template().contains(&template));
    // SAFETY: the template of a word, which nothing ever writes, in this image.
    assert_eq!(unsafe { std::ptr::with_exposed_provenance::<u16>(template).read() }, 0xabcd);
}
