//! CSV, read back by a reader of RFC 4180 and compared with the JSON body. pandas and Python's csv read it in
//! `tests/external/formats_check.py`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use read_support::flat::{flat, holds, in_table, json, written};
use read_support::hostile::{all, around, names};
use read_support::shop;
use serde_json::Value;
use spangraph::proto::Slice;
use spangraph::render::{Format, View};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Scenario: a service and its namespace bear any name at all.
    /// Guarantees: the table holds the name as JSON does, but for what no table can hold; and no cell runs.
    #[test]
    fn any_name_arrives(name in names()) {
        csv_is_the_json(&around(&name));
    }
}
