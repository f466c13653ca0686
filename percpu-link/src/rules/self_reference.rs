//! `self-reference`: a template that points into the template.

use crate::input::Pointer;
use crate::model::{Code, Finding, Variable};

const REMEDY: &str = "set the pointer in each copy, by `#[per_cpu(init = f)]` with an `unsafe fn f(CpuId, *mut T)`";

/// For where numbers and addresses look alike.
const SCAN_REMEDY: &str = "if it is a pointer, set it in each copy, by `#[per_cpu(init = f)]` with an `unsafe fn f(CpuId, \
                           *mut T)`; if it is a number, name the variable in `not-pointers`; relocations would tell for \
                           certain: link as PIE, or with `--emit-relocs`";

/// One finding for each variable that holds such pointers, in the order of their offsets. What only looks like a pointer is none
/// in the variables that `numbers` names.
pub(super) fn findings(variables: &[Variable], pointers: &[Pointer], numbers: &[String]) -> Vec<Finding> {
    let holder = |pointer: &Pointer| holder(variables, pointer.offset);
    let is_number = |pointer: &Pointer| holder(pointer).is_some_and(|holder| numbers.contains(&holder.name));
    let pointers: Vec<_> =
        pointers.iter().copied().filter(|pointer| pointer.is_certain || !is_number(pointer)).collect();
    let same = |a: &Pointer, b: &Pointer| holder(a).is_some() && holder(a) == holder(b);
    pointers.chunk_by(same).map(|chunk| finding(variables, chunk)).collect()
}

fn finding(variables: &[Variable], pointers: &[Pointer]) -> Finding {
    let first = pointers[0];
    let holder = holder(variables, first.offset);
    let place = match holder {
        Some(holder) => format!("`{}`, at offset {:#x} of the variable,", holder.name, first.offset - holder.offset),
        None => format!("the template, at offset {:#x},", first.offset),
    };
    let target = match self::holder(variables, first.target) {
        Some(target) => format!("the template of `{}`", target.name),
        None => format!("the template, offset {:#x}", first.target),
    };
    let others = match pointers.len() - 1 {
        0 => String::new(),
        others => format!(" ({others} more like it in this variable)"),
    };
    let (verb, remedy) = if first.is_certain { ("points", REMEDY) } else { ("may point", SCAN_REMEDY) };
    let message = format!("{place} {verb} to {target}{others}: every CPU's copy would point there, none into itself");
    Finding::new(Code::SelfReference, holder.map(|holder| holder.name.clone()), message, remedy)
}

/// The variable that covers `offset` of the template.
fn holder(variables: &[Variable], offset: u64) -> Option<&Variable> {
    let behind = variables.partition_point(|variable| variable.offset <= offset);
    let covers = |variable: &&Variable| offset - variable.offset < variable.size;
    variables[..behind].iter().rev().find(covers)
}
