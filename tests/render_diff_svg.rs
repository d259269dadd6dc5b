//! The picture of a difference, read back by a strict XML reader. `tests/external/diff_check.py` has it drawn by librsvg.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeSet;

use proptest::prelude::*;
use read_support::picture::{assert_inert, assert_inside, ids, meet, rect};
use read_support::xml::{Element, parse};
use read_support::{World, differ, hostile, release};
use spangraph::proto::{NodeType, Slice};
use spangraph::render::{Format, Picture, diff};
use spangraph::topology::Params;
use spangraph::topology::diff::Diff;

fn text(difference: &Diff, look: &str) -> String {
    let mut params = Params::decode(look);
    let picture = Picture::take(&mut params);
    params.finish().unwrap();
    String::from_utf8(diff::write(Format::Svg, difference, &picture).unwrap().body).unwrap()
}

fn drawn(difference: &Diff, look: &str) -> Element {
    let svg = parse(&text(difference, look));
    assert_inert(&svg);
    assert_inside(&svg);
    svg
}

fn released(query: &str) -> Diff {
    let (base, head) = release();
    differ(&base, &head, query).unwrap()
}

fn words(element: &Element) -> Vec<&str> {
    let texts = element.all().into_iter().filter(|e| e.name == "text");
    texts.map(|e| e.text.as_str()).collect()
}

/// The element that stands for a node or an edge.
fn found<'a>(svg: &'a Element, id: &str) -> &'a Element {
    svg.all()
        .into_iter()
        .find(|e| e.attribute("data-id") == id)
        .unwrap_or_else(|| panic!("{id} is not drawn"))
}

/// Guarantees: each element listed is drawn once under its id and status, whichever way calls run.
#[test]
fn every_listed_element_is_in_the_picture() {
    for query in ["", "include=same"] {
        let difference = released(query);
        let nodes = difference.nodes.iter().map(|n| (&n.id, n.change.status));
        let edges = difference.edges.iter().map(|e| (&e.id, e.change.status));
        let expected: Vec<_> = nodes.chain(edges).collect();
        for rankdir in ["LR", "TB", "RL", "BT"] {
            let svg = drawn(&difference, &format!("rankdir={rankdir}&theme=dark"));
            let all: BTreeSet<String> = expected.iter().map(|(id, _)| (*id).clone()).collect();
            assert_eq!(ids(&svg), all);
            for (id, status) in &expected {
                assert_eq!(found(&svg, id).attribute("data-status"), status.name());
            }
        }
    }
}

/// Guarantees: a printout without colours tells what came, went and changed: by dash, by sign and by words.
#[test]
fn colour_is_never_all_that_tells() {
    let difference = released("include=same");
    let svg = drawn(&difference, "");
    let mut looks = BTreeSet::new();
    for edge in &difference.edges {
        let line = found(&svg, &edge.id).named("path").next().unwrap();
        looks.insert((
            edge.change.status.name(),
            line.attribute("stroke-dasharray").to_owned(),
        ));
    }
    let dashes = |status: &str| {
        let of = looks.iter().filter(|(s, _)| *s == status);
        of.map(|(_, dash)| dash.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(dashes("same"), [""]);
    assert_eq!(dashes("added"), [""]);
    assert_eq!(dashes("removed"), ["7 4"]);
    assert_eq!(dashes("changed"), ["1.5 4"]);
    let said = words(&svg);
    for word in [
        "0.20/s → 1.0/s",
        "50% → 10% failed",
        "p50 12 ms → 33 ms client",
        "added, 0.30/s",
        "removed, 0.010/s",
        "may be chance",
    ] {
        assert!(said.contains(&word), "{word}: {said:?}");
    }
    let signs = |id: &str| found(&svg, id).named("circle").count();
    for node in &difference.nodes {
        let differs = node.change.status.name() != "same";
        assert_eq!(signs(&node.id), usize::from(differs), "{}", node.id);
    }
}

/// Guarantees: the title names both windows, and the legend every look.
#[test]
fn the_picture_explains_itself() {
    let svg = drawn(&released(""), "");
    let tspans = svg.all().into_iter().filter(|e| e.name == "tspan");
    let title: Vec<&str> = tspans.map(|e| e.text.as_str()).collect();
    assert_eq!(
        title[..4],
        [
            "base",
            "2026-11-23T00:55:00Z to 2026-11-23T01:00:00Z",
            "head",
            "2026-11-23T01:00:00Z to 2026-11-23T01:05:00Z",
        ]
    );
    let said = words(&svg);
    for word in [
        "+ added",
        "\u{2212} removed",
        "\u{25B3} changed, from base → to head",
        "the same",
    ] {
        assert!(said.contains(&word), "{word}: {said:?}");
    }
    let empty = drawn(
        &differ(&World::new().done(), &World::new().done(), "").unwrap(),
        "",
    );
    assert!(ids(&empty).is_empty() && !words(&empty).contains(&"+ added"));
}

#[test]
fn equal_differences_are_equal_bytes() {
    let (base, mut head) = release();
    let straight = text(&differ(&base, &head, "").unwrap(), "");
    head.edges.reverse();
    assert_eq!(text(&differ(&base, &head, "").unwrap(), ""), straight);
}

fn mesh(seed: usize, calls: u64) -> Slice {
    let mut w = World::new();
    let nodes: Vec<u32> = (0..24)
        .map(|at| w.service(&format!("ns{}/service-{at}", at % 3)))
        .collect();
    for at in 0..40 {
        let (client, server) = ((at * seed) % 24, (at * 7 + seed) % 24);
        let many = if at % 3 == 0 { calls } else { 500 };
        w.plain(nodes[client], nodes[server], many);
    }
    w.done()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Guarantees: no label lies on a box or on another label, all are inside the picture.
    #[test]
    fn labels_keep_clear_of_each_other(seed in 1_usize..25, apart in 1_usize..24, calls in 0_u64..5_000) {
        // Seeds that are alike modulo 24 are one mesh, of which there may be nothing to say.
        let difference = differ(&mesh(seed, 500), &mesh(seed + apart, calls + 1), "").unwrap();
        let svg = drawn(&difference, "");
        let labels: Vec<_> = svg
            .named("g")
            .filter(|g| g.attribute("text-anchor") == "middle")
            .flat_map(|g| g.named("rect").map(rect))
            .collect();
        prop_assert!(!labels.is_empty());
        for (at, label) in labels.iter().enumerate() {
            prop_assert!(labels[at + 1..].iter().all(|other| !meet(*label, *other)));
        }
    }

    /// Guarantees: whatever services and namespaces are called, the picture is well-formed, holds every element once,
    /// and is made of nothing that could run, fetch or restyle.
    #[test]
    fn no_name_becomes_markup(names in prop::collection::btree_set(hostile::names(), 1..6)) {
        let mut w = World::new();
        let entry = w.service("entry");
        for (at, name) in names.iter().enumerate() {
            let node = w.node(&format!("{at}{name}"), name, name, NodeType::Service);
            w.plain(entry, node, 900);
        }
        let difference = differ(&World::new().done(), &w.done(), "").unwrap();
        prop_assert_eq!(ids(&drawn(&difference, "rankdir=BT")).len(), 1 + 2 * names.len());
    }
}
