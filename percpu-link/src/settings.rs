//! What a project asks of its per-CPU variables.

use serde_json::Value;

use crate::model::Code;
use crate::size;

/// The keys of `[package.metadata.percpu]` and `[workspace.metadata.percpu]`.
const KEYS: [&str; 6] = ["max-static", "max-unit", "deny", "not-pointers", "nr-cpus", "cacheline"];

/// What a project asks of its per-CPU variables; nothing, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `max-static`: the most bytes that all static variables of one CPU may take.
    pub max_static: Option<u64>,
    /// `max-unit`: the most bytes of the smallest unit around them.
    pub max_unit: Option<u64>,
    /// `deny`: findings that fail a check although they do not by default.
    pub deny: Vec<Code>,
    /// `not-pointers`: variables whose words look like addresses of templates and are numbers. Only where nothing but their
    /// look tells: a relocation makes a pointer for certain.
    pub not_pointers: Vec<String>,
    /// `nr-cpus`: the CPUs that images are laid out for, in place of this machine's.
    pub nr_cpus: Option<u64>,
    /// `cacheline`: bytes of a cache line, in place of 64.
    pub cacheline: Option<u64>,
}

impl Settings {
    /// Takes over what the table `percpu` of `metadata` sets; `origin` is where it stands, for messages.
    pub(crate) fn read(&mut self, metadata: &Value, origin: &str) -> Result<(), String> {
        let Some(table) = metadata.get("percpu") else { return Ok(()) };
        let table = table.as_object().ok_or_else(|| format!("{origin}: expected a table"))?;
        for (key, value) in table {
            self.set(key, value).map_err(|what| format!("{origin} `{key}`: {what}"))?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        match key {
            "max-static" => self.max_static = Some(bytes(value)?),
            "max-unit" => self.max_unit = Some(bytes(value)?),
            "deny" => self.deny = codes(value)?,
            "not-pointers" => self.not_pointers = names(value)?,
            "nr-cpus" => {
                let cpus = value.as_u64().filter(|cpus| *cpus > 0);
                self.nr_cpus = Some(cpus.ok_or("expected a number of CPUs")?);
            }
            "cacheline" => {
                let line = value.as_u64().filter(|line| line.is_power_of_two());
                self.cacheline = Some(line.ok_or("expected a power of two")?);
            }
            _ => return Err(format!("unknown key; there are {}", KEYS.join(", "))),
        }
        Ok(())
    }
}

/// A number, or a string such as `"64K"`.
fn bytes(value: &Value) -> Result<u64, String> {
    match value {
        Value::String(text) => size::parse(text),
        _ => value.as_u64().ok_or_else(|| "expected bytes, such as 65536 or \"64K\"".into()),
    }
}

fn codes(value: &Value) -> Result<Vec<Code>, String> {
    let list = value.as_array().ok_or("expected a list of lints")?;
    list.iter().map(|code| code.as_str().ok_or("expected the names of lints")?.parse()).collect()
}

fn names(value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or("expected a list of variables")?;
    list.iter().map(|name| Ok(name.as_str().ok_or("expected the names of variables")?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_key_is_read_and_later_tables_win() {
        let mut settings = Settings::default();
        settings.read(&Value::Null, "none").unwrap();
        settings.read(&json!({ "other": 1 }), "other").unwrap();
        assert_eq!(settings, Settings::default());
        let workspace = json!({ "percpu": { "max-static": "64K", "nr-cpus": 8, "deny": ["no-symbols"], "not-pointers": ["a::B"], "cacheline": 128 } });
        settings.read(&workspace, "workspace").unwrap();
        settings.read(&json!({ "percpu": { "max-static": 4096, "max-unit": 65536, "deny": [] } }), "package").unwrap();
        let expected = Settings {
            max_static: Some(4096),
            max_unit: Some(65_536),
            deny: vec![],
            not_pointers: vec!["a::B".into()],
            nr_cpus: Some(8),
            cacheline: Some(128),
        };
        assert_eq!(settings, expected);
        for key in KEYS {
            assert!(Settings::default().set(key, &Value::Null).is_err(), "{key} takes a value");
        }
    }

    #[test]
    fn mistakes_name_the_place_and_the_key() {
        for (table, message) in [
            (json!(1), "here: expected a table"),
            (json!({ "max-statik": 1 }), "here `max-statik`: unknown key; there are max-static, max-unit, deny"),
            (json!({ "max-static": "64KiB" }), "here `max-static`: expected bytes"),
            (json!({ "max-unit": -1 }), "here `max-unit`: expected bytes"),
            (json!({ "deny": "misplaced" }), "here `deny`: expected a list"),
            (json!({ "deny": ["mistplaced"] }), "here `deny`: no lint is called `mistplaced`"),
            (json!({ "not-pointers": "app::TABLE" }), "here `not-pointers`: expected a list of variables"),
            (json!({ "not-pointers": [1] }), "here `not-pointers`: expected the names of variables"),
            (json!({ "nr-cpus": 0 }), "here `nr-cpus`: expected a number of CPUs"),
            (json!({ "cacheline": 96 }), "here `cacheline`: expected a power of two"),
        ] {
            let error = Settings::default().read(&json!({ "percpu": table }), "here").unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
