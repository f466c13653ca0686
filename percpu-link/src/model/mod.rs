//! What a report says about an image: facts only, no input and no output.
//!
//! The field names are the keys of the JSON form, which other programs read: a change of theirs, other than an
//! addition, raises [`VERSION`].

mod finding;

use percpu_rt::abi::class::Class;
use serde::{Serialize, Serializer};

pub use finding::{Code, Finding, Severity};

/// The version of the JSON forms.
pub const VERSION: u32 = 1;

/// The per-CPU variables of one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// The image as it was named by the caller.
    pub file: String,
    /// The machine that it runs on, as Rust's `target_arch` names it.
    pub machine: String,
    /// Where it runs.
    pub mode: Mode,
    /// The section that the template starts with.
    pub section: Section,
    /// Bytes of the template: one CPU's copy of all static variables.
    pub static_size: u64,
    /// The largest alignment that the template asks of a unit.
    pub max_align: u64,
    /// The smallest unit that holds the template, with the default reserved and dynamic areas.
    pub unit_size: u64,
    /// The reserved area of that unit.
    pub reserved_size: u64,
    /// The dynamic area of that unit.
    pub dyn_size: u64,
    /// The variables in the order of their offsets.
    pub variables: Vec<Variable>,
    /// What no variable covers.
    pub holes: Vec<Hole>,
    /// What is worth knowing about the image.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The findings that fail a check: denied lints, and what is over budget.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// Panics with all failures, if there are any: the last line of a test.
    #[track_caller]
    pub fn assert_clean(&self) {
        let failures: String = self.failures().map(|failure| format!("\n{failure}")).collect();
        assert!(failures.is_empty(), "{}:{failures}", self.file);
    }
}

/// Where an image runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In a Linux process.
    Hosted,
    /// On bare metal.
    Kernel,
}

impl Mode {
    /// The word that both forms of the report use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hosted => "hosted",
            Self::Kernel => "kernel",
        }
    }
}

/// A section of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its address; zero is legal.
    pub address: u64,
    /// Its bytes.
    pub size: u64,
    /// Its alignment.
    pub align: u64,
}

/// A static per-CPU variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its path in the source, or its symbol where the language has no paths.
    pub name: String,
    /// Where it lies in each unit: the distance from the template's first byte.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// Its alignment: the one that debug information states, else the largest that its place and size allow for.
    pub align: u64,
    /// Its class.
    #[serde(serialize_with = "class_name")]
    pub class: Class,
    /// Its type, where debug information tells.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// The crate that defines it; none for other languages.
    #[serde(rename = "crate")]
    pub crate_name: Option<String>,
    /// The source file that declares it, where debug information tells.
    pub file: Option<String>,
    /// The line in that file.
    pub line: Option<u64>,
}

/// Bytes of the template that no variable covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// Where it starts, counted from the template's first byte.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
}

/// What was written into an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Patch {
    /// [`VERSION`].
    pub version: u32,
    /// The image as it was named by the caller.
    pub file: String,
    /// CPUs that the layout is for, without the orphan.
    pub cpus: u64,
    /// Bytes of the template.
    pub static_size: u64,
    /// From one unit to the next.
    pub unit_size: u64,
    /// Where each unit starts: one a CPU, and the orphan's.
    pub unit_offsets: Vec<u64>,
    /// Whether any byte of the file changed.
    pub changed: bool,
}

/// A first chunk, as `layout` computes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FirstChunk {
    pub(crate) version: u32,
    pub(crate) unit_size: u64,
    pub(crate) alloc_size: u64,
    pub(crate) upa: u64,
    pub(crate) nr_groups: usize,
    pub(crate) nr_units: u64,
    pub(crate) dyn_size: u64,
    pub(crate) groups: Vec<Group>,
    pub(crate) unit_offsets: Vec<u64>,
    /// What was asked for, which the text repeats as Linux does.
    #[serde(skip)]
    pub(crate) static_size: u64,
    #[serde(skip)]
    pub(crate) reserved_size: u64,
    #[serde(skip)]
    pub(crate) atom_size: u64,
}

/// The CPUs of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Group {
    pub(crate) node: usize,
    pub(crate) cpus: Vec<usize>,
}

fn class_name<S: Serializer>(class: &Class, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(class.name())
}

/// The holes between `variables`, which are sorted by offset, inside `static_size` bytes.
///
/// An image without symbols has unknown variables rather than one large hole, so it has none.
pub(crate) fn holes(variables: &[Variable], static_size: u64) -> Vec<Hole> {
    let mut holes = Vec::new();
    if variables.is_empty() {
        return holes;
    }
    let mut covered = 0;
    let ends = variables.iter().map(|variable| (variable.offset, variable.size));
    for (offset, size) in ends.chain([(static_size, 0)]) {
        if offset > covered {
            holes.push(Hole { offset: covered, size: offset - covered });
        }
        covered = covered.max(offset.saturating_add(size));
    }
    holes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(offset: u64, size: u64) -> Variable {
        Variable {
            name: "v".into(),
            offset,
            size,
            align: 1,
            class: Class::Plain,
            type_name: None,
            crate_name: None,
            file: None,
            line: None,
        }
    }

    #[test]
    fn holes_are_what_no_variable_covers() {
        type Spans = &'static [(u64, u64)];
        let cases: [(Spans, u64, Spans); 6] = [
            (&[], 100, &[]),
            (&[(0, 100)], 100, &[]),
            (&[(8, 8), (32, 4)], 64, &[(0, 8), (16, 16), (36, 28)]),
            (&[(0, 64), (8, 8)], 64, &[]),
            (&[(0, 8), (16, 0)], 32, &[(8, 8), (16, 16)]),
            (&[(0, u64::MAX), (1, u64::MAX)], 64, &[]),
        ];
        for (variables, static_size, expected) in cases {
            let variables: Vec<_> = variables.iter().map(|&(offset, size)| variable(offset, size)).collect();
            let found: Vec<_> = holes(&variables, static_size).iter().map(|hole| (hole.offset, hole.size)).collect();
            assert_eq!(found, expected, "{variables:?}");
        }
    }
}
