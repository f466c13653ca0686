//! Every class, for a word and for an object.

use percpu_rt::{per_cpu, possible_cpus};

macro_rules! check {
    ($($class:ident)*) => {
        $({
            #[per_cpu($class)]
            static WORD: u32 = 0;
            #[per_cpu($class)]
            static OBJECT: [u16; 5] = [0; 5];

            WORD.inc();
            assert_eq!(WORD.sum(), 1);
            assert_eq!(OBJECT.with(|object| *object), [0; 5]);
        })*
    };
}

#[repr(align(4096))]
struct Page(u8);

#[per_cpu(page_aligned)]
static PAGE: Page = Page(9);

fn main() {
    check!(page_aligned shared_aligned read_mostly hot zeroed);
    for cpu in possible_cpus() {
        let page = PAGE.on(cpu);
        assert_eq!((page.0, &raw const *page as usize % 4096), (9, 0));
    }
}
