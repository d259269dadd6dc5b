//! Bodies of small graphs, and the JSON body by columns, which flat formats are held against.

use std::collections::BTreeMap;

use serde_json::Value;
use spangraph::proto::Slice;
use spangraph::render::{Format, Picture, View};

use super::build;

pub fn written(format: Format, view: View, slice: &Slice) -> String {
    let topology = build(slice, "").unwrap();
    let body = format
        .write(view, &topology, &Picture::default())
        .unwrap()
        .body;
    String::from_utf8(body).unwrap()
}

pub fn json(format: Format, view: View, slice: &Slice) -> Value {
    serde_json::from_str(&written(format, view, slice)).unwrap()
}

/// A name as a table holds it: controls as their pictures, all else as sent.
pub fn in_table(name: &str) -> String {
    let picture = |c: char| match c {
        '\0'..='\u{1f}' if !"\t\n\r".contains(c) => char::from_u32(0x2400 + u32::from(c)).unwrap(),
        c => c,
    };
    name.chars().map(picture).collect()
}

/// A name as XML holds it: likewise, and the two other characters that it forbids by number.
pub fn in_xml(name: &str) -> String {
    let name = in_table(name).replace('\u{fffe}', "⟨U+FFFE⟩");
    name.replace('\u{ffff}', "⟨U+FFFF⟩")
}

/// An element of the JSON body by column: names nest with `_`, `latency` is left out, lists and maps are text.
pub fn flat(element: &Value) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    flatten("", element, &mut out);
    out
}

fn flatten(before: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
    for (key, value) in value.as_object().unwrap() {
        let name = format!("{before}{key}");
        match value {
            Value::Null => {}
            Value::Object(_) if key == "latency" => flatten(before, value, out),
            Value::Object(_)
                if !["protocols", "statuses", "dimensions"].contains(&key.as_str()) =>
            {
                flatten(&format!("{name}_"), value, out);
            }
            Value::Object(_) | Value::Array(_) => drop(out.insert(name, value.to_string().into())),
            _ => drop(out.insert(name, value.clone())),
        }
    }
}

/// Holds one cell against the JSON value of its column. An absent one is empty; an absent flag is false.
pub fn holds(column: &str, cell: &str, expected: Option<&Value>, stored: fn(&str) -> String) {
    match expected {
        Some(Value::Number(number)) => assert_eq!(cell.parse().ok(), number.as_f64(), "{column}"),
        Some(Value::String(text)) => assert_eq!(cell, stored(text), "{column}"),
        Some(Value::Bool(flag)) => assert_eq!(cell, flag.to_string(), "{column}"),
        _ if column == "inferred" || column.ends_with("_more") => assert_eq!(cell, "false"),
        _ => assert_eq!(cell, "", "{column}"),
    }
}
