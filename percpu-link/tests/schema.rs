//! The JSON of every command against the schemas in `schema/`.

use std::fs;
use std::path::Path;

use percpu_link::model::Code;
use percpu_rt::abi::class::{Class, DATA};
use percpu_rt::abi::record::{self, ByteOrder};
use serde_json::{Value, json};

#[allow(dead_code, reason = "shared with other tests")]
mod fixture;
#[allow(dead_code, reason = "shared with other tests")]
mod tools;

use fixture::{Elf, Section, data, object};
use tools::{cc, output, tool};

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What is wrong with `value`, by the keywords that our schemas use; any other keyword is a mistake of the schema.
fn mistake(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    schema.as_object().expect("a schema is an object").iter().find_map(|(keyword, rule)| {
        let is_good = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = rule.as_str().and_then(|rule| rule.strip_prefix("#")).expect("a reference into the schema");
                return mistake(root, root.pointer(name).expect("defined"), value);
            }
            "const" => rule == value,
            "enum" => rule.as_array().expect("a list").contains(value),
            "minimum" => value.as_u64() >= rule.as_u64(),
            "type" => match rule {
                Value::Array(types) => types.iter().any(|name| is_type(name, value)),
                name => is_type(name, value),
            },
            "required" => rule.as_array().expect("a list").iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
            "additionalProperties" => {
                assert_eq!(rule, false);
                let known = schema["properties"].as_object().expect("stated beside it");
                value.as_object().is_none_or(|value| value.keys().all(|key| known.contains_key(key)))
            }
            "properties" => {
                let rules = rule.as_object().expect("an object").iter();
                let mut pairs = rules.filter_map(|(key, rule)| Some((key, rule, value.get(key)?)));
                return pairs.find_map(|(key, rule, value)| Some(format!("{key}: {}", mistake(root, rule, value)?)));
            }
            "items" => return value.as_array().into_iter().flatten().find_map(|value| mistake(root, rule, value)),
            _ => panic!("no schema of ours uses `{keyword}`"),
        };
        (!is_good).then(|| format!("{value} is against {keyword} {rule}"))
    })
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("a name") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        name => panic!("no schema of ours uses the type `{name}`"),
    }
}

/// Checks each of the objects on standard output.
#[track_caller]
fn check(name: &str, stdout: &str) -> Vec<Value> {
    let schema = schema(name);
    let values: Vec<Value> = serde_json::Deserializer::from_str(stdout).into_iter().map(Result::unwrap).collect();
    assert!(!values.is_empty());
    for value in &values {
        assert_eq!(mistake(&schema, &schema, value), None, "{name}");
    }
    values
}

#[test]
fn reports_and_checks_follow_the_schema() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("small"), Elf::small().bytes()).unwrap();
    fs::write(dir.path().join("stripped"), Elf { symbols: vec![], ..Elf::small() }.bytes()).unwrap();
    let mut files = vec!["small", "stripped"];
    let source = "struct list { struct list *next; };\n\
        __attribute__((section(\".data..percpu.head\"))) struct list head = { &head };\n\
        __attribute__((section(\".data..percpu..hot.hits\"))) long hits = 1;\n\
        int main(void) { return hits; }\n";
    if cc(dir.path(), "linked", source, &["-g"]).is_some() {
        files.push("linked");
    }
    let run = |args: &[&str], status| output(tool(&[args, &files].concat()).current_dir(dir.path()), status).0;
    let reports = check("report.json", &run(&["report", "--format", "json"], 0));
    assert_eq!(reports.len(), files.len());
    let budget = ["check", "--format", "json", "--max-static", "0"];
    let checks = check("report.json", &run(&budget, 3));
    assert!(checks.iter().all(|check| check["findings"][0]["severity"] == "error"), "{checks:?}");
}

#[test]
fn layouts_and_patches_follow_the_schema() {
    let (stdout, _) =
        output(&mut tool(&["layout", "--static", "45K", "--cpus", "6", "--nodes", "2", "--format", "json"]), 0);
    check("layout.json", &stdout);
    let dir = tempfile::tempdir().unwrap();
    let bytes = record::unpatched(ByteOrder::Little).to_vec();
    let record = Section { bytes: Some(bytes), ..data(record::SECTION, 0x1000, record::SIZE as u64, 8) };
    let image = Elf::kernel(vec![record, data(DATA, 0x2000, 8, 8)], vec![object("v", 2, 0x2000, 8)]);
    for name in ["one", "two"] {
        fs::write(dir.path().join(name), image.bytes()).unwrap();
    }
    let mut patch = tool(&["patch", "--format", "json", "--cpus", "3", "one", "two", "one"]);
    let (stdout, _) = output(patch.current_dir(dir.path()), 0);
    let patches = check("patch.json", &stdout);
    let changed: Vec<_> = patches.iter().map(|patch| patch["changed"].as_bool().unwrap()).collect();
    assert_eq!(changed, [true, true, false]);
    assert_eq!(patches[0]["unit_offsets"].as_array().unwrap().len(), 4);
}

#[test]
fn the_schema_knows_every_code_and_class() {
    let schema = schema("report.json");
    let names = |pointer: &str| schema.pointer(pointer).and_then(Value::as_array).unwrap().clone();
    let codes: Vec<Value> = Code::ALL.iter().map(|code| json!(code.name())).collect();
    assert_eq!(names("/properties/findings/items/properties/code/enum"), codes);
    let classes: Vec<Value> = Class::ALL.iter().map(|class| json!(class.name())).collect();
    assert_eq!(names("/properties/variables/items/properties/class/enum"), classes);
}

#[test]
fn the_check_by_schema_finds_mistakes() {
    let schema = schema("patch.json");
    let good = json!({
        "version": 1, "file": "f", "cpus": 1, "static_size": 0, "unit_size": 1, "unit_offsets": [0], "changed": true
    });
    assert_eq!(mistake(&schema, &schema, &good), None);
    for (key, value) in [
        ("version", json!(2)),
        ("file", json!(1)),
        ("cpus", json!(0)),
        ("unit_offsets", json!(["0"])),
        ("changed", Value::Null),
        ("extra", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        assert!(mistake(&schema, &schema, &bad).is_some(), "{bad}");
    }
    let mut less = good;
    less.as_object_mut().unwrap().remove("cpus");
    assert!(mistake(&schema, &schema, &less).is_some());
}
