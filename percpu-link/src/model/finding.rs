//! Something about an image that its owner should know.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Something about an image that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    #[serde(serialize_with = "code_name")]
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The variable concerned, if it is about one.
    pub variable: Option<String>,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Finding {
    /// A finding of the severity that its kind has by default.
    pub(crate) fn new(code: Code, variable: Option<String>, message: String, help: impl Into<String>) -> Self {
        Self { code, severity: code.severity(), variable, message, help: help.into() }
    }
}

/// As compilers write it: `error[over-budget]: ..`, and a line of help.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, severity, message, help, .. } = self;
        write!(f, "{}[{}]: {message}\n  help: {help}", severity.name(), code.name())
    }
}

/// The kinds of findings; their names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// A template holds a pointer into the template, so that all copies would point there.
    SelfReference,
    /// Templates lie where set-up does not copy them from.
    Misplaced,
    /// The variables take more than the settings allow.
    OverBudget,
    /// The image has no symbol table.
    NoSymbols,
    /// The debug information cannot be read to its end.
    DamagedDebugInfo,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SelfReference, Self::Misplaced, Self::OverBudget, Self::NoSymbols, Self::DamagedDebugInfo];

    /// The name by which settings and output know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfReference => "self-reference",
            Self::Misplaced => "misplaced",
            Self::OverBudget => "over-budget",
            Self::NoSymbols => "no-symbols",
            Self::DamagedDebugInfo => "damaged-debug-info",
        }
    }

    /// How bad it is where no setting denies it.
    const fn severity(self) -> Severity {
        match self {
            Self::SelfReference | Self::Misplaced | Self::OverBudget => Severity::Error,
            Self::NoSymbols | Self::DamagedDebugInfo => Severity::Note,
        }
    }
}

impl FromStr for Code {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|code| code.name() == name);
        known.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.into_iter().map(Self::name).collect();
            format!("no lint is called `{name}`; there are {}", names.join(", "))
        })
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The image works, the report is poorer.
    Note,
    /// The image is wrong, or against the settings: a check fails.
    Error,
}

impl Severity {
    /// The word that both forms of the report use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Error => "error",
        }
    }
}

fn code_name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_their_names() {
        for code in Code::ALL {
            assert_eq!(code.name().parse(), Ok(code));
        }
        let error = "Misplaced".parse::<Code>().unwrap_err();
        assert!(error.contains("`Misplaced`") && error.contains("self-reference"), "{error}");
    }
}
