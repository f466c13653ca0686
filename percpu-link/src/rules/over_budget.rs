//! `over-budget`: variables or units larger than the settings allow.

use crate::model::{Code, Finding, Report};
use crate::settings::Settings;

pub(super) fn findings(report: &Report, settings: &Settings) -> impl Iterator<Item = Finding> {
    let largest = report.variables.iter().max_by_key(|variable| variable.size);
    let help = match largest {
        Some(largest) => {
            format!(
                "the largest variable is `{}` with {} bytes; shrink it, or raise the budget",
                largest.name, largest.size
            )
        }
        None => "shrink the variables, or raise the budget".into(),
    };
    let over = |what: &str, size: u64, setting: &str, budget: Option<u64>| {
        let budget = budget.filter(|budget| size > *budget)?;
        let message = format!("{what} is {size} bytes, {} more than `{setting}` allows", size - budget);
        Some(Finding::new(Code::OverBudget, None, message, help.clone()))
    };
    let of_template = over("the static size", report.static_size, "max-static", settings.max_static);
    let of_unit = over("the unit size", report.unit_size, "max-unit", settings.max_unit);
    of_template.into_iter().chain(of_unit)
}
