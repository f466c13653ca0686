//! A function over words, called with what is none.

use percpu_rt::{Integer, Word};

fn count<T: Integer>(_: T) {}

fn keep<T: Word>(_: T) {}

fn main() {
    count(1_u32);
    count(1.0_f64);
    keep([0_u8; 4]);
}
