//! The lints: what is wrong with an image, from the facts about it. One file a lint.

mod misplaced;
mod over_budget;
mod self_reference;

use crate::input::Facts;
use crate::model::{Report, Severity};
use crate::settings::Settings;

/// The report of `facts`, with what the lints find and as bad as the settings make it.
pub(crate) fn judge(facts: Facts, settings: &Settings) -> Report {
    let Facts { mut report, pointers, strays } = facts;
    let mut findings = misplaced::findings(&strays);
    findings.extend(self_reference::findings(&report.variables, &pointers, &settings.not_pointers));
    findings.extend(over_budget::findings(&report, settings));
    findings.append(&mut report.findings);
    for finding in &mut findings {
        if settings.deny.contains(&finding.code) {
            finding.severity = Severity::Error;
        }
    }
    report.findings = findings;
    report
}
#[cfg(test)]
mod tests;
