//! Each lint on an image with one fault, and on its twin without.

mod budget;
mod misplaced;
mod self_reference;

use percpu_rt::abi::class::DATA;
use percpu_rt::abi::symbol::{END, START};

use super::judge;
use crate::fixture::{Elf, data, label, object};
use crate::input;
use crate::model::{Finding, Report};
use crate::settings::Settings;

/// The address of the template.
const AT: u64 = 0x2000;

fn judged(elf: &Elf, settings: &Settings) -> Report {
    judge(input::read(elf.bytes().as_slice(), "image".into()).unwrap(), settings)
}

fn findings(elf: &Elf) -> Vec<Finding> {
    judged(elf, &Settings::default()).findings
}

/// An image with the template, an ordinary section, and `symbol` in section `index`.
fn placed(symbol: &'static str, index: u16) -> Elf {
    let sections = vec![data(DATA, AT, 32, 8), data(".data", AT + 4096, 32, 8)];
    let address = if index == 1 { AT } else { AT + 4096 };
    Elf::kernel(sections, vec![label(START, 1, AT), label(END, 1, AT + 32), object(symbol, index, address, 8)])
}
