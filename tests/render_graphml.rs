//! GraphML, read back by a small reader and compared with the JSON body. networkx reads it in
//! `tests/external/formats_check.py`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use read_support::flat::{flat, holds, in_xml, json, written};
use read_support::hostile::{all, around, names};
use read_support::{World, shop};
use serde_json::Value;
use spangraph::proto::Slice;
use spangraph::render::{Format, View};

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

#[test]
fn the_graph_is_the_golden_one() {
    let got = written(Format::Graphml, View::Graph, &shop());
    assert_eq!(got, include_str!("golden/topology.graphml"), "got:\n{got}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Scenario: a service and its namespace bear any name at all.
    /// Guarantees: the file holds the name as JSON does, but for what XML forbids.
    #[test]
    fn any_name_arrives(name in names()) {
        graphml_is_the_json(&around(&name));
    }
}
