//! The name of a type, put together from debug information.

use gimli::UnitOffset;
use percpu_rt::abi::symbol::TEMPLATE_TYPE;

use super::name::split_outside;
use super::units::{LONGEST, Unit, Units, Value};

/// How many pointers, arrays and qualifiers a type is followed through. Damaged information can be a circle.
const DEEPEST: usize = 16;

/// The type that a variable of `unit` refers to by `reference`, without the wrapper around our templates.
pub(super) fn of_variable<'d>(units: &Units<'d>, unit: &Unit<'d>, reference: Value<'d>) -> Option<String> {
    Some(unwrapped(&name(units, unit, reference, DEEPEST)?).into())
}

fn name<'d>(units: &Units<'d>, unit: &Unit<'d>, reference: Value<'d>, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    units.at(unit, reference, |unit, offset| name_at(units, unit, offset, depth))
}

fn name_at<'d>(units: &Units<'d>, unit: &Unit<'d>, offset: UnitOffset, depth: usize) -> Option<String> {
    let entry = unit.entry(offset).ok()?;
    if let Some(value) = entry.attr_value(gimli::DW_AT_name) {
        return units.text(unit, value);
    }
    let inner = |nothing: &str| match entry.attr_value(gimli::DW_AT_type) {
        Some(reference) => name(units, unit, reference, depth),
        None => Some(nothing.into()),
    };
    Some(match entry.tag() {
        gimli::DW_TAG_pointer_type => format!("{} *", inner("void")?),
        gimli::DW_TAG_const_type => format!("const {}", inner("void")?),
        gimli::DW_TAG_volatile_type => format!("volatile {}", inner("void")?),
        gimli::DW_TAG_atomic_type => format!("_Atomic {}", inner("void")?),
        gimli::DW_TAG_restrict_type => inner("void")?,
        gimli::DW_TAG_array_type => format!("{}{}", inner("void")?, dimensions(unit, offset)),
        gimli::DW_TAG_subroutine_type => "function".into(),
        gimli::DW_TAG_structure_type => "struct".into(),
        gimli::DW_TAG_union_type => "union".into(),
        gimli::DW_TAG_enumeration_type => "enum".into(),
        _ => return None,
    })
}

/// The variable's own type: the first of those that our wrapper takes.
fn unwrapped(name: &str) -> &str {
    let inner = name.strip_prefix(TEMPLATE_TYPE).and_then(|rest| rest.strip_prefix('<'));
    match inner.and_then(|rest| rest.strip_suffix('>')) {
        Some(inner) => split_outside(inner, ", ").map_or(inner, |(own, _)| own),
        None => name,
    }
}

/// The lengths of the array type at `offset`: `[4][2]`.
fn dimensions(unit: &Unit<'_>, offset: UnitOffset) -> String {
    let mut text = String::new();
    let Ok(mut tree) = unit.entries_tree(Some(offset)) else { return text };
    let Ok(root) = tree.root() else { return text };
    let mut children = root.children();
    while let Ok(Some(child)) = children.next() {
        let number = |name| child.entry().attr(name).and_then(gimli::Attribute::udata_value);
        let length = number(gimli::DW_AT_count)
            .or_else(|| number(gimli::DW_AT_upper_bound).and_then(|last| last.checked_add(1)));
        match length {
            Some(length) => text.push_str(&format!("[{length}]")),
            None => text.push_str("[]"),
        }
        // No declaration has as many dimensions as a damaged one can claim.
        if text.len() > LONGEST {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapper_of_templates_is_not_shown() {
        for (arguments, own) in [
            ("u64", "u64"),
            ("u64, rt::Unaligned", "u64"),
            ("(u8, u32), rt::Line", "(u8, u32)"),
            ("core::cell::Cell<[(u8, u32); 3]>", "core::cell::Cell<[(u8, u32); 3]>"),
        ] {
            assert_eq!(unwrapped(&format!("{TEMPLATE_TYPE}<{arguments}>")), own);
        }
        for other in ["u64", "Templated<u64>", TEMPLATE_TYPE] {
            assert_eq!(unwrapped(other), other);
        }
    }
}
