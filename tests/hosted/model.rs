//! Random operations at every width beside a plain variable, with every byte around them watched.
//!
//! All variables here are `hot`, and nothing else in this program writes a `hot` one: so between that class's two
//! symbols nothing but the variable at hand may change, on any CPU. Without an order by class it is watched with its neighbours.

use std::ops::Range;

use percpu_rt::abi::class::Class;
use percpu_rt::{per_cpu, per_cpu_offset, possible_cpus, this_cpu};
use percpu_tests::pin;
use percpu_tests::random::Random;

/// Operations on each variable.
const TURNS: usize = 3000;

/// The bytes of the watched templates on every CPU.
#[derive(Debug, PartialEq)]
struct Watched {
    /// The templates' addresses.
    templates: Vec<Range<usize>>,
    /// For each possible CPU, in order, the bytes of each.
    units: Vec<Vec<Vec<u8>>>,
}

/// The templates of the class `hot`; none where there is no order by class.
fn hot() -> Option<Range<usize>> {
    crate::cpus::between([Class::Hot, Class::ReadMostly].map(Class::start_symbol))
}

impl Watched {
    fn look(templates: &[Range<usize>]) -> Self {
        let unit = |cpu| {
            let copy = |template: &Range<usize>| {
                let first = template.start.wrapping_add_signed(per_cpu_offset(cpu));
                let first = std::ptr::with_exposed_provenance::<u8>(first);
                // SAFETY: bytes of a unit that stays mapped, and which nobody but this test writes.
                (0..template.len()).map(|n| unsafe { first.add(n).read_volatile() }).collect()
            };
            templates.iter().map(copy).collect()
        };
        Self { templates: templates.to_vec(), units: possible_cpus().map(unit).collect() }
    }

    /// Replaces the bytes of this CPU's copy at `copy`.
    fn expect(&mut self, copy: usize, bytes: &[u8]) {
        let cpu = this_cpu();
        let index = possible_cpus().position(|each| each == cpu).expect("a possible CPU");
        let template = copy.wrapping_sub(per_cpu_offset(cpu).cast_unsigned());
        let place = self.templates.iter().position(|watched| watched.contains(&template)).expect("watched");
        self.units[index][place][template - self.templates[place].start..][..bytes.len()].copy_from_slice(bytes);
    }
}

macro_rules! model {
    ($hot:ident, $random:ident: $($type:ident)*) => {{$({
        type T = $type;
        // Neighbours of the same size, so that they lie in one line with the variable.
        #[per_cpu(hot)]
        static BEFORE: T = 0x55;
        #[per_cpu(hot)]
        static VARIABLE: T = 1;
        #[per_cpu(hot)]
        static AFTER: T = 0x2a;

        let offset = per_cpu_offset(this_cpu()).cast_unsigned();
        let template = |copy: *mut T| copy.addr().wrapping_sub(offset)..copy.addr().wrapping_sub(offset) + size_of::<T>();
        let templates = match &$hot {
            Some(hot) => vec![hot.clone()],
            None => [BEFORE.this_cpu_ptr(), VARIABLE.this_cpu_ptr(), AFTER.this_cpu_ptr()].map(template).to_vec(),
        };
        let mut watched = Watched::look(&templates);
        let mut model: T = VARIABLE.read();
        for turn in 0..TURNS {
            let [a, b] = [$random.operand() as T, $random.operand() as T];
            let before = model;
            let operation = $random.below(14);
            match operation {
                0 => { VARIABLE.write(a); model = a; }
                1 => { VARIABLE.add(a); model = model.wrapping_add(a); }
                2 => { VARIABLE.sub(a); model = model.wrapping_sub(a); }
                3 => { VARIABLE.inc(); model = model.wrapping_add(1); }
                4 => { VARIABLE.dec(); model = model.wrapping_sub(1); }
                5 => { VARIABLE.and(a); model &= a; }
                6 => { VARIABLE.or(a); model |= a; }
                7 => { VARIABLE.xor(a); model ^= a; }
                8 => { model = model.wrapping_add(a); assert_eq!(VARIABLE.add_return(a), model); }
                9 => { model = model.wrapping_add(a); assert_eq!(VARIABLE.fetch_add(a), before); }
                10 => { model = a; assert_eq!(VARIABLE.xchg(a), before); }
                11 => { model = b; assert_eq!(VARIABLE.cmpxchg(before, b), Ok(before)); }
                12 if a != before => assert_eq!(VARIABLE.cmpxchg(a, b), Err(before)),
                // One bit off, the highest among them.
                12 => {
                    let other = before ^ (1 << $random.below(T::BITS as usize));
                    assert_eq!(VARIABLE.cmpxchg(other, b), Err(before));
                }
                _ => {}
            }
            let what = format!("{} turn {turn} operation {operation}: {before:#x} {a:#x} {b:#x}", stringify!($type));
            assert_eq!(VARIABLE.read(), model, "{what}");
            watched.expect(VARIABLE.this_cpu_ptr().addr(), &model.to_ne_bytes());
            assert_eq!(Watched::look(&templates), watched, "{what}");
        }
        for cpu in possible_cpus() {
            assert_eq!((BEFORE.read_on(cpu), AFTER.read_on(cpu)), (0x55, 0x2a));
        }
    })*}};
}

#[test]
fn operations_do_what_they_do_to_a_plain_variable_and_touch_nothing_else() {
    let mut random = Random::printed();
    let hot = hot();
    for cpu in pin::allowed() {
        pin::on(cpu, || model!(hot, random: u8 u16 u32 u64 usize i8 i16 i32 i64 isize));
    }
}
