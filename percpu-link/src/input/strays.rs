//! Templates that set-up would not copy, since they lie outside of the template.

use percpu_rt::abi::{class, symbol};

use super::elf::{Binding, Image};
use super::name;
use super::template::{self, Template};

/// What lies where it should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stray {
    /// Variables, by name, whose templates lie in another section.
    Variables {
        /// That section.
        section: String,
        /// The variables.
        names: Vec<String>,
    },
    /// A section of templates that the linker has left on its own.
    Section(String),
    /// A section of the template reaches beyond the symbols around it.
    Boundary {
        /// The section.
        section: String,
        /// Its addresses.
        addresses: (u64, u64),
        /// The addresses that the symbols state.
        stated: (u64, u64),
    },
}

/// All strays, in the order of the image's sections. An image that has not been linked has none yet.
pub(super) fn find<R>(image: &Image<'_, R>, template: &Template) -> Vec<Stray> {
    let mut strays = Vec::new();
    if image.binding == Binding::None {
        return strays;
    }
    let mut names = vec![Vec::new(); image.sections.len()];
    for symbol in &image.symbols {
        let Some(index) = symbol.section.filter(|index| !template.holds(*index)) else { continue };
        if let Some(names) = names.get_mut(index)
            && let Some(name) = template_name(symbol.name)
        {
            names.push(name);
        }
    }
    let ends = template::stated_ends(image);
    for (index, (section, mut names)) in image.sections.iter().zip(names).enumerate() {
        let called = || String::from_utf8_lossy(section.name).into_owned();
        let is_filled = section.is_loaded && section.size > 0;
        if template.holds(index) {
            let addresses = (section.address, section.end());
            if let Some(stated) = ends.filter(|ends| ends.0 > addresses.0 || ends.1 < addresses.1) {
                strays.push(Stray::Boundary { section: called(), addresses, stated });
            }
        } else if is_filled && is_of_templates(section.name) {
            strays.push(Stray::Section(called()));
        } else if !names.is_empty() {
            names.sort_unstable();
            strays.push(Stray::Variables { section: called(), names });
        }
    }
    strays
}

/// The name of the variable whose template a symbol is, if it is one.
fn template_name(raw: &[u8]) -> Option<String> {
    let raw = std::str::from_utf8(raw).ok()?;
    if raw == symbol::THIS_CPU_OFF { Some(raw.into()) } else { name::of_template(raw) }
}

/// Whether a section is `.data..percpu.NAME`, `.data..percpu..class.NAME` or the like.
fn is_of_templates(name: &[u8]) -> bool {
    let behind = |base: &str| name.strip_prefix(base.as_bytes()).is_some_and(|rest| rest.starts_with(b"."));
    behind(class::DATA) || behind(class::BSS)
}
