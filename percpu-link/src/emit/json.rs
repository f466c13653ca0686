//! JSON: each object on its own, so that a reader can take them one by one.

use serde::Serialize;

/// `value` as an object and a line end.
pub(super) fn object(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("strings, integers and lists always have a JSON form");
    text.push('\n');
    text
}
