//! `misplaced`: templates outside of the template.

use percpu_rt::abi::class::{DATA, FALLBACK};
use percpu_rt::abi::symbol::{END, START};

use crate::input::Stray;
use crate::model::{Code, Finding};

pub(super) fn findings(strays: &[Stray]) -> Vec<Finding> {
    strays.iter().map(finding).collect()
}

fn finding(stray: &Stray) -> Finding {
    let remedy = format!(
        "link with LLD, which reads percpu-rt's `percpu.x`, or build for any linker with `PERCPU_LINK=section`; a linker \
         script of this program has to leave `{DATA}*` and `{FALLBACK}` out, or to `INCLUDE percpu.x`"
    );
    let (variable, message) = match stray {
        Stray::Variables { section, names } => {
            let first = names.first().cloned();
            let listed = match names.as_slice() {
                [] => "a template lies".to_owned(),
                [only] => format!("the template of `{only}` lies"),
                [first, others @ ..] => format!("the templates of `{first}` and {} more lie", others.len()),
            };
            (first, format!("{listed} in `{section}`, which is copied to no CPU"))
        }
        Stray::Section(name) => {
            (None, format!("`{name}` is a section of its own, outside of `{DATA}`, and copied to no CPU"))
        }
        Stray::Boundary { section, addresses, stated } => (
            None,
            format!(
                "`{section}` at {:#x}..{:#x} is not enclosed by `{START}` and `{END}` at {:#x}..{:#x}, so it is not copied as a \
                 whole",
                addresses.0, addresses.1, stated.0, stated.1
            ),
        ),
    };
    Finding::new(Code::Misplaced, variable, message, remedy)
}
