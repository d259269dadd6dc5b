//! A difference in its formats, against golden files, and with names that want to be something else.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use read_support::{World, differ, release};
use serde_json::{Value, json};
use spangraph::proto::NodeType;
use spangraph::render::{Format, Picture, diff};
use spangraph::topology::Params;
use spangraph::topology::diff::Diff;

fn written(format: Format, difference: &Diff, look: &str) -> String {
    let picture = Picture::take(&mut Params::decode(look));
    String::from_utf8(diff::write(format, difference, &picture).unwrap().body).unwrap()
}

fn released() -> Diff {
    let (base, head) = release();
    differ(&base, &head, "").unwrap()
}

#[test]
fn the_body_is_the_golden_one() {
    let got: Value = serde_json::from_str(&written(Format::Json, &released(), "")).unwrap();
    let golden: Value = serde_json::from_str(include_str!("golden/diff.json")).unwrap();
    let pretty = serde_json::to_string_pretty(&got).unwrap();
    assert_eq!(got, golden, "got:\n{pretty}");
}

#[test]
fn the_drawing_is_the_golden_one() {
    let got = written(Format::Dot, &released(), "");
    assert_eq!(got, include_str!("golden/diff.dot"), "got:\n{got}");
}

#[test]
fn the_flowchart_is_the_golden_one() {
    let got = written(Format::Mermaid, &released(), "");
    assert_eq!(got, include_str!("golden/diff.mmd"), "got:\n{got}");
}

/// Guarantees: a text that Mermaid would refuse is never written: the certain stay, and the title says what is left
/// out.
#[test]
fn a_large_flowchart_keeps_what_is_certain() {
    let many = |calls: u64| {
        let mut w = World::new();
        let hub = w.service("hub");
        for at in 0..700 {
            let node = w.service(&format!("service-with-a-rather-long-name-{at:03}"));
            w.plain(hub, node, if at < 5 { calls } else { 1 });
        }
        w.done()
    };
    let difference = differ(&World::new().done(), &many(900), "").unwrap();
    let text = written(Format::Mermaid, &difference, "");
    assert!(text.encode_utf16().count() <= 50_000, "{}", text.len());
    let edges = text.lines().filter(|l| l.contains(" -->")).count();
    assert!((100..=500).contains(&edges), "{edges}");
    let doubtful = text.matches("<br/>may be chance\"|").count();
    let certain = text.matches("-->|\"added, ").count() - doubtful;
    assert_eq!(certain, 5, "beside {} that may be chance", edges - certain);
    assert!(
        text.contains(&format!("; {edges} of 700 edges shown\"")),
        "{text:.300}"
    );
}

/// Guarantees: no colour is the only thing that tells a status: each has its own dash and its own words.
#[test]
fn a_drawing_can_be_read_without_colours() {
    let text = written(Format::Dot, &released(), "");
    let edges: Vec<&str> = text.lines().filter(|l| l.contains(" -> ")).collect();
    let styled = |words: &str| {
        let line = edges.iter().find(|l| l.contains(words)).unwrap();
        let style = line.split("style=").nth(1).unwrap();
        style.split(',').next().unwrap().to_owned()
    };
    assert_eq!(styled("label=\"added, "), "bold");
    assert_eq!(styled("label=\"removed, "), "dashed");
    assert_eq!(styled("% failed"), "dotted");
    assert_eq!(
        edges.iter().filter(|l| l.contains("style=solid")).count(),
        0
    );
    let all = differ(&release().0, &release().1, "include=same").unwrap();
    assert!(written(Format::Dot, &all, "").contains("style=solid"));
    assert!(written(Format::Dot, &all, "theme=dark&rankdir=TB").contains("rankdir=TB"));
}

/// Guarantees: absent is null and never 0: what came has no base, what went no head, and neither a ratio.
#[test]
fn what_is_absent_is_null() {
    let body: Value = serde_json::from_str(&written(Format::Json, &released(), "")).unwrap();
    let edges = body["edges"].as_array().unwrap();
    let of = |status: &str| edges.iter().find(|e| e["status"] == status).unwrap();
    for (status, missing, there) in [("added", "base", "head"), ("removed", "head", "base")] {
        let edge = of(status);
        assert_eq!(edge[missing], Value::Null);
        assert!(edge[there]["calls"].as_u64().unwrap() > 0);
        for figure in ["rate_per_s", "failed_ratio"] {
            assert_eq!(edge[figure][missing], Value::Null, "{figure}");
            assert_eq!(edge[figure]["ratio"], Value::Null);
            assert_eq!(edge[figure]["diff"], Value::Null);
        }
        assert_eq!(edge["failed_ratio"]["p"], Value::Null);
    }
}

/// Quotes that no backslash escapes.
fn quotes(line: &str) -> usize {
    let mut escaped = false;
    let mut open = |c: char| {
        let counts = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        counts
    };
    line.chars().filter(|c| open(*c)).count()
}

/// Guarantees: whatever a name holds, the drawing has its nodes and no more, and the body its names as they are.
#[test]
fn hostile_names_stay_names() {
    let names = [
        "say \"hi\"",
        "trailing\\",
        "\\N \\G \\E",
        "line\nbreak",
        "nul\0byte",
        "\u{202e}gnp.exe",
        "</script>&lt;",
        "] } ; --",
        "digraph",
    ];
    let mut w = World::new();
    let first = w.service("a");
    for name in names {
        let node = w.node(&format!("ns/{name}"), name, "n\"&s\\", NodeType::Service);
        w.plain(first, node, 100);
    }
    let difference = differ(&World::new().done(), &w.done(), "").unwrap();
    let text = written(Format::Dot, &difference, "");
    assert_eq!(
        text,
        include_str!("golden/hostile_diff.dot"),
        "got:\n{text}"
    );
    let chart = written(Format::Mermaid, &difference, "");
    assert_eq!(
        chart,
        include_str!("golden/hostile_diff.mmd"),
        "got:\n{chart}"
    );
    let nodes = text.lines().filter(|l| l.contains("\" [label=")).count();
    assert_eq!(nodes, names.len() + 1);
    for line in text.lines() {
        assert!(quotes(line).is_multiple_of(2), "{line}");
        assert!(!line.contains(['\0', '\u{202e}']), "{line}");
    }
    let body: Value = serde_json::from_str(&written(Format::Json, &difference, "")).unwrap();
    for name in names {
        let found = body["nodes"].as_array().unwrap().iter();
        assert_eq!(
            found.filter(|n| n["name"] == json!(name)).count(),
            1,
            "{name}"
        );
    }
}
