//! Mermaid and PlantUML, taken apart by readers that know only where a label begins and ends. Their real consumers read
//! them in `tests/external/formats_check.py`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::fmt::Write as _;

use proptest::prelude::*;
use read_support::hostile::{HOSTILE, around, names};
use read_support::{World, build, shop};
use spangraph::proto::{NodeType, Slice};
use spangraph::render::{Format, Picture, View};
use spangraph::topology::Params;

fn drawn(format: Format, slice: &Slice, look: &str) -> String {
    let mut params = Params::decode(look);
    let picture = Picture::take(&mut params);
    params.finish().unwrap();
    let topology = build(slice, "top=100000").unwrap();
    let body = format.write(View::Graph, &topology, &picture).unwrap().body;
    String::from_utf8(body).unwrap()
}

/// The text with every label emptied, and the labels: whatever stands between two quotes.
fn apart(text: &str) -> (String, Vec<String>) {
    let mut pieces = text.split('"');
    let mut skeleton = pieces.next().unwrap().to_owned();
    let mut labels = Vec::new();
    while let Some(label) = pieces.next() {
        labels.push(label.to_owned());
        skeleton.push_str("\"\"");
        skeleton.push_str(pieces.next().expect("an open quote"));
    }
    (skeleton, labels)
}

/// What Mermaid shows for a label: entities by number, nothing else.
fn mermaid_shows(label: &str) -> String {
    let mut pieces = label.split('#');
    let mut shown = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once(';').expect("an entity");
        shown.extend(char::from_u32(number.parse().unwrap()));
        shown.push_str(rest);
    }
    shown.replace('\u{2060}', "")
}

/// What PlantUML shows for a label: characters by number, nothing else.
fn plantuml_shows(label: &str) -> String {
    let mut pieces = label.split("<U+");
    let mut shown = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once('>').expect("a number");
        shown.extend(char::from_u32(u32::from_str_radix(number, 16).unwrap()));
        shown.push_str(rest);
    }
    shown
}

/// The name as it may be drawn: controls as their pictures, other hidden characters by number.
fn drawable(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => out.push('␡'),
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{ffff}' => {
                write!(out, "⟨U+{:04X}⟩", u32::from(c)).unwrap();
            }
            c => out.push(c),
        }
    }
    out
}

/// Draws `name`, and `x` in its place. Both are the same text but for labels; and there the namespace and the node
/// show the name.
fn stays_a_name(format: Format, name: &str) -> Result<(), TestCaseError> {
    let (skeleton, labels) = apart(&drawn(format, &around(name), ""));
    let (plain, _) = apart(&drawn(format, &around("x"), ""));
    prop_assert_eq!(skeleton, plain);
    let shown = labels.iter().map(|label| match format {
        Format::Mermaid => mermaid_shows(label.split("<br/>").next().unwrap()),
        _ => plantuml_shows(label.split("\\n").next().unwrap()),
    });
    let wanted = drawable(name);
    let found = shown.filter(|s| *s == wanted).count();
    prop_assert!(found >= 2, "{:?} is not in {:?}", wanted, labels);
    Ok(())
}

#[test]
fn hostile_names_stay_names() {
    for name in HOSTILE {
        for format in [Format::Mermaid, Format::Plantuml] {
            stays_a_name(format, name).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Scenario: a service and its namespace bear any name at all.
    /// Guarantees: outside of labels the text is that of any other name; labels show the name.
    #[test]
    fn any_name_stays_a_name(name in names()) {
        stays_a_name(Format::Mermaid, &name)?;
        stays_a_name(Format::Plantuml, &name)?;
    }
}

#[test]
fn the_drawings_are_the_golden_ones() {
    let got = drawn(Format::Mermaid, &shop(), "");
    assert_eq!(got, include_str!("golden/topology.mmd"), "got:\n{got}");
    let got = drawn(Format::Plantuml, &shop(), "");
    assert_eq!(got, include_str!("golden/topology.puml"), "got:\n{got}");
}

#[test]
fn labels_direction_and_colours_follow_the_parameters() {
    for (format, look, words) in [
        (Format::Mermaid, "rankdir=TB", "\nflowchart TB\n"),
        (
            Format::Mermaid,
            "theme=dark",
            "\nconfig:\n  theme: dark\n---\n",
        ),
        (Format::Mermaid, "label=calls", "-->|\"630 calls\"| n"),
        (Format::Mermaid, "label=none", "n6 --> n5\n"),
        (
            Format::Plantuml,
            "rankdir=TB",
            "\ntop to bottom direction\n",
        ),
        (Format::Plantuml, "rankdir=LR", "]-> n0 : "),
        (Format::Plantuml, "rankdir=RL", "\nn0 <-["),
        (Format::Plantuml, "theme=dark", "BackgroundColor #121212\n"),
        (Format::Plantuml, "label=calls", " : 630 calls\n"),
    ] {
        let text = drawn(format, &shop(), look);
        assert!(text.contains(words), "{look}: {words:?} is not in\n{text}");
    }
    // Without words there is a sign where something is wrong, for whoever does not see colours.
    let bare = drawn(Format::Plantuml, &shop(), "label=none");
    let labels: Vec<_> = bare.lines().filter_map(|l| l.split_once(" : ")).collect();
    assert!(matches!(labels[..], [(_, "✕")]), "{labels:?}");
}

/// `services` of which each calls the next `fan`, the first ones the most, and one by itself.
fn mesh(services: usize, fan: usize, name: &str) -> Slice {
    let mut w = World::new();
    let nodes: Vec<_> = (0..services)
        .map(|n| {
            w.node(
                &format!("s{n:04}"),
                &format!("{name}{n}"),
                "",
                NodeType::Service,
            )
        })
        .collect();
    let mut calls = 1_000_000;
    for from in 0..services {
        for step in 1..=fan {
            calls -= 1;
            w.plain(nodes[from], nodes[(from + step) % services], calls);
        }
    }
    w.service("alone");
    w.done()
}

/// Guarantees: whatever the graph, Mermaid gets at most 500 edges and 50,000 UTF-16 units, those with the most calls,
/// as many as fit; and the title says what is missing.
#[test]
fn mermaid_gets_what_it_takes() {
    let count = |text: &str| text.lines().filter(|l| l.contains(" -->")).count();
    let units = |text: &str| text.encode_utf16().count();
    let small = drawn(Format::Mermaid, &mesh(50, 5, "s"), "");
    assert_eq!((count(&small), small.contains("busiest")), (250, false));
    let many = drawn(Format::Mermaid, &mesh(100, 6, "s"), "label=none");
    assert_eq!(count(&many), 500);
    assert!(
        many.contains(": the busiest 500 of 600 edges, 89 of 101 nodes\""),
        "{many:.200}"
    );
    assert!(!many.contains("(\"s99<br/>"), "the least busy go first");
    for name in [&"\"".repeat(120), &"🦀\"".repeat(200)] {
        let long = drawn(
            Format::Mermaid,
            &mesh(100, 5, name),
            "label=rate,failed,p50,calls",
        );
        assert!(units(&long) <= 50_000, "{}", units(&long));
        assert!(
            count(&long) > 10 && long.contains("busiest"),
            "{}",
            count(&long)
        );
    }
    let lonely = drawn(Format::Mermaid, &mesh(2_000, 0, "s"), "");
    assert!(units(&lonely) <= 50_000 && units(&lonely) > 49_000);
    assert!(lonely.contains("the busiest 0 of 0 edges, "));
}

#[test]
fn a_large_plantuml_drawing_says_that_it_takes_time() {
    let large = drawn(Format::Plantuml, &mesh(500, 1, "s"), "");
    assert!(large.starts_with("@startuml\n' 501 nodes: "), "{large:.80}");
}
