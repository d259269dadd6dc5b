//! CSV, GraphML, node-link and Grafana's arrays, each read back by a small reader of its own and compared with the JSON
//! body. Their real consumers read them in `tests/external/formats_check.py`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use read_support::hostile::{all, around, names};
use read_support::{World, build, shop};
use serde_json::Value;
use spangraph::proto::Slice;
use spangraph::render::{Format, Picture, View};

fn written(format: Format, view: View, slice: &Slice) -> String {
    let topology = build(slice, "").unwrap();
    let body = format.write(view, &topology, &Picture::default()).unwrap();
    String::from_utf8(body).unwrap()
}

fn json(format: Format, view: View, slice: &Slice) -> Value {
    serde_json::from_str(&written(format, view, slice)).unwrap()
}

/// A name as a table holds it: controls as their pictures, all else as sent.
fn in_table(name: &str) -> String {
    let picture = |c: char| match c {
        '\0'..='\u{1f}' if !"\t\n\r".contains(c) => char::from_u32(0x2400 + u32::from(c)).unwrap(),
        c => c,
    };
    name.chars().map(picture).collect()
}

/// A name as XML holds it: likewise, and the two other characters that it forbids by number.
fn in_xml(name: &str) -> String {
    let name = in_table(name).replace('\u{fffe}', "⟨U+FFFE⟩");
    name.replace('\u{ffff}', "⟨U+FFFF⟩")
}

// --- CSV

/// The records of a text by RFC 4180: rows end with CR LF, a quote inside quotes is doubled.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if cell.is_empty() => loop {
                match chars.next().expect("an open quote") {
                    '"' if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                    '"' => break,
                    c => cell.push(c),
                }
            },
            ',' => row.push(std::mem::take(&mut cell)),
            '\r' => {
                assert_eq!(chars.next(), Some('\n'), "a bare CR");
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\n' => panic!("a bare LF"),
            c => cell.push(c),
        }
    }
    assert!(row.is_empty() && cell.is_empty(), "an open row");
    rows
}

/// Rows by the names of their header.
fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut rows = records(text).into_iter();
    let header = rows.next().unwrap();
    let unique: BTreeSet<_> = header.iter().collect();
    assert_eq!(unique.len(), header.len(), "{header:?}");
    rows.map(|row| {
        assert_eq!(row.len(), header.len());
        header.iter().cloned().zip(row).collect()
    })
    .collect()
}

/// What a spreadsheet shows of a text cell: a quote before what looks like a formula says "this is text".
fn cell_shows(cell: &str) -> &str {
    let formula = |text: &str| {
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
    };
    assert!(!formula(cell), "{cell:?} runs");
    match cell.strip_prefix('\'') {
        Some(rest) if formula(cell.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

/// An element of the JSON body by column: names nest with `_`, `latency` is left out, lists and maps are text.
fn flat(element: &Value) -> BTreeMap<String, Value> {
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
            Value::Object(_) if !["protocols", "statuses"].contains(&key.as_str()) => {
                flatten(&format!("{name}_"), value, out);
            }
            Value::Object(_) | Value::Array(_) => drop(out.insert(name, value.to_string().into())),
            _ => drop(out.insert(name, value.clone())),
        }
    }
}

/// Holds one cell against the JSON value of its column. An absent one is empty; an absent flag is false.
fn holds(column: &str, cell: &str, expected: Option<&Value>, stored: fn(&str) -> String) {
    match expected {
        Some(Value::Number(number)) => assert_eq!(cell.parse().ok(), number.as_f64(), "{column}"),
        Some(Value::String(text)) => assert_eq!(cell, stored(text), "{column}"),
        Some(Value::Bool(flag)) => assert_eq!(cell, flag.to_string(), "{column}"),
        _ if column == "inferred" || column.ends_with("_more") => assert_eq!(cell, "false"),
        _ => assert_eq!(cell, "", "{column}"),
    }
}

fn csv_is_the_json(slice: &Slice) {
    for view in [View::Nodes, View::Edges] {
        let rows = table(&written(Format::Csv, view, slice));
        let elements = json(Format::Json, view, slice);
        let elements = elements.as_array().unwrap();
        assert_eq!(rows.len(), elements.len());
        for (row, element) in rows.iter().zip(elements) {
            let element = flat(element);
            for (column, cell) in row {
                holds(column, cell_shows(cell), element.get(column), in_table);
            }
            let lost = |(name, _): &(&String, &Value)| !row.contains_key(*name);
            assert_eq!(element.iter().find(lost), None);
        }
    }
}

#[test]
fn csv_says_what_json_says() {
    csv_is_the_json(&shop());
    csv_is_the_json(&all());
    let graph = written(Format::Csv, View::Graph, &shop());
    assert_eq!(graph, written(Format::Csv, View::Edges, &shop()));
}

#[test]
fn the_tables_are_the_golden_ones() {
    let got = written(Format::Csv, View::Edges, &shop()).replace("\r\n", "\n");
    assert_eq!(got, include_str!("golden/edges.csv"), "got:\n{got}");
    let got = written(Format::Csv, View::Nodes, &shop()).replace("\r\n", "\n");
    assert_eq!(got, include_str!("golden/nodes.csv"), "got:\n{got}");
    let got = written(Format::Graphml, View::Graph, &shop());
    assert_eq!(got, include_str!("golden/topology.graphml"), "got:\n{got}");
}

/// Guarantees: two names are two cells, whatever quotes they bring along.
#[test]
fn a_name_that_looks_escaped_is_another_name() {
    let cell = |name: &str| {
        let rows = table(&written(Format::Csv, View::Nodes, &around(name)));
        rows.into_iter()
            .find(|r| r["id"] == "hostile/node")
            .unwrap()["name"]
            .clone()
    };
    for (name, expected) in [
        ("=1", "'=1"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
        ("'1", "'1"),
        ("1", "1"),
    ] {
        assert_eq!(cell(name), expected);
    }
}

// --- GraphML

/// A start tag with its attributes, and the text up to the next tag.
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// The start tags of an XML text that holds nothing else than elements, double-quoted attributes and text.
fn tags(xml: &str) -> Vec<Tag> {
    let forbidden = |c: char| c < ' ' && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}');
    assert!(!xml.contains(forbidden));
    let mut open = Vec::new();
    let mut tags = Vec::new();
    for piece in xml.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("an open tag");
        assert!(!text.contains('>'));
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else if !tag.starts_with('?') {
            let inside = tag.trim_end_matches('/');
            let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
            if !tag.ends_with('/') {
                open.push(name.to_owned());
            }
            let pairs: Vec<_> = attributes.split_terminator('"').collect();
            let pairs = pairs.chunks(2);
            tags.push(Tag {
                name: name.to_owned(),
                attributes: pairs
                    .map(|pair| {
                        (
                            pair[0].trim().trim_end_matches('=').to_owned(),
                            resolved(pair[1]),
                        )
                    })
                    .collect(),
                text: resolved(text),
            });
        }
    }
    assert_eq!(open, [] as [String; 0]);
    tags
}

fn resolved(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut out = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (entity, rest) = piece.split_once(';').expect("an entity");
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            number => {
                let code = number.strip_prefix('#').unwrap().parse().unwrap();
                char::from_u32(code).unwrap()
            }
        });
        out.push_str(rest);
    }
    out
}

/// Each element with its attributes, and its data by the names of their keys.
fn elements(xml: &str) -> Vec<(Tag, BTreeMap<String, String>)> {
    let mut keys = BTreeMap::new();
    let mut elements: Vec<(Tag, BTreeMap<_, _>)> = Vec::new();
    for tag in tags(xml) {
        match tag.name.as_str() {
            "key" => drop(keys.insert(tag.attributes["id"].clone(), tag.attributes.clone())),
            "graph" | "node" | "edge" => elements.push((tag, BTreeMap::new())),
            "data" => {
                let (owner, data) = elements.last_mut().unwrap();
                let key = &keys[&tag.attributes["key"]];
                assert_eq!(key["for"], owner.name);
                assert_eq!(data.insert(key["attr.name"].clone(), tag.text), None);
            }
            name => assert_eq!(name, "graphml"),
        }
    }
    elements
}

fn graphml_is_the_json(slice: &Slice) {
    let body = json(Format::Json, View::Graph, slice);
    let all = elements(&written(Format::Graphml, View::Graph, slice));
    assert_eq!(
        all[0].1["window_start"],
        body["window"]["start"].as_str().unwrap()
    );
    for (name, list) in [("node", "nodes"), ("edge", "edges")] {
        let found: Vec<_> = all.iter().filter(|e| e.0.name == name).collect();
        let expected = body[list].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for ((tag, data), element) in found.into_iter().zip(expected) {
            let element = flat(element);
            for (attribute, field) in [("id", "id"), ("source", "client"), ("target", "server")] {
                let told = tag.attributes.get(attribute).map(String::as_str);
                let known = element.get(field).and_then(Value::as_str);
                assert_eq!(told, known, "{attribute}");
            }
            for (column, text) in data {
                let column = if column == "label" { "name" } else { column };
                holds(column, text, element.get(column), in_xml);
            }
            let beside = ["id", "client", "server"];
            let lost = |(name, _): &(&String, &Value)| {
                !data.contains_key(*name) && !beside.contains(&name.as_str())
            };
            assert_eq!(element.iter().find(lost), None);
        }
    }
}

#[test]
fn graphml_says_what_json_says() {
    graphml_is_the_json(&shop());
    graphml_is_the_json(&all());
}

/// Scenario: ids as no slice of ours holds them.
/// Guarantees: what XML forbids is percent-encoded, and both ends of edges still are nodes.
#[test]
fn ids_lose_what_xml_cannot_hold() {
    let mut w = World::new();
    let (a, b) = (w.service("a\0\u{ffff}"), w.service("\"b\"\n"));
    w.plain(a, b, 1);
    let all = elements(&written(Format::Graphml, View::Graph, &w.done()));
    let ids: Vec<_> = all
        .iter()
        .filter(|e| e.0.name == "node")
        .map(|e| e.0.attributes["id"].as_str())
        .collect();
    assert_eq!(ids, ["\"b\"\n", "a%00%EF%BF%BF"]);
    let edge = &all
        .iter()
        .find(|e| e.0.name == "edge")
        .unwrap()
        .0
        .attributes;
    assert_eq!(
        (edge["source"].as_str(), edge["target"].as_str()),
        (ids[1], ids[0])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Scenario: a service and its namespace bear any name at all.
    /// Guarantees: every table holds the name as JSON does, but for what no file can hold; and no cell runs.
    #[test]
    fn any_name_arrives(name in names()) {
        csv_is_the_json(&around(&name));
        graphml_is_the_json(&around(&name));
    }
}

// --- node-link and Grafana

#[test]
fn node_link_is_the_body_under_other_names() {
    for slice in [shop(), all()] {
        let mut link = json(Format::NodeLink, View::Graph, &slice);
        let mut body = json(Format::Json, View::Graph, &slice);
        for flag in ["directed", "multigraph"] {
            assert_eq!(link[flag], true);
        }
        assert_eq!(link["nodes"], body["nodes"]);
        for edge in link["edges"].as_array_mut().unwrap() {
            let edge = edge.as_object_mut().unwrap();
            for (field, same) in [
                ("source", "client"),
                ("target", "server"),
                ("key", "connection_type"),
            ] {
                assert_eq!(edge.remove(field).unwrap(), edge[same]);
            }
        }
        assert_eq!(link["edges"], body["edges"]);
        for list in ["nodes", "edges"] {
            body.as_object_mut().unwrap().remove(list);
        }
        assert_eq!(link["graph"], body);
    }
}

/// Guarantees: what the Node Graph panel and its source need: one set of lower-case names for all records, the ids of
/// the JSON body, both ends of every edge, arcs that sum to 1.
#[test]
fn grafanas_arrays_have_the_panels_shape() {
    for slice in [shop(), all()] {
        let body = json(Format::Json, View::Graph, &slice);
        let arrays = [("nodes", View::Nodes), ("edges", View::Edges)];
        for (list, view) in arrays {
            let records = json(Format::Grafana, view, &slice);
            let records = records.as_array().unwrap();
            let expected = body[list].as_array().unwrap();
            assert!(
                records
                    .iter()
                    .map(|r| &r["id"])
                    .eq(expected.iter().map(|e| &e["id"]))
            );
            let names = |r: &Value| r.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let first = names(&records[0]);
            assert!(records.iter().all(|r| names(r) == first));
            assert!(!first.concat().contains(|c: char| c.is_ascii_uppercase()));
        }
        let nodes = json(Format::Grafana, View::Nodes, &slice);
        let nodes = nodes.as_array().unwrap();
        for node in nodes {
            let arcs =
                ["arc__ok", "arc__failed", "arc__unknown"].map(|arc| node[arc].as_f64().unwrap());
            assert!((arcs.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{arcs:?}");
            assert!(arcs.iter().all(|arc| (0.0..=1.0).contains(arc)), "{arcs:?}");
        }
        for edge in json(Format::Grafana, View::Edges, &slice)
            .as_array()
            .unwrap()
        {
            for end in ["source", "target"] {
                assert!(nodes.iter().any(|n| n["id"] == edge[end]));
            }
        }
    }
}

#[test]
fn grafanas_arrays_are_the_golden_ones() {
    let golden: Value = serde_json::from_str(include_str!("golden/grafana.json")).unwrap();
    let got = serde_json::json!({
        "nodes": json(Format::Grafana, View::Nodes, &shop()),
        "edges": json(Format::Grafana, View::Edges, &shop()),
    });
    let text = serde_json::to_string_pretty(&got).unwrap();
    assert_eq!(got, golden, "got:\n{text}");
}
