//! SVG, read back by a strict XML reader and measured. `tests/external/svg_check.py` does the same with real parsers
//! and renderers.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeSet;

use proptest::prelude::*;
use read_support::picture::{Rect, assert_inert, assert_inside, ids, meet, points, rect};
use read_support::xml::{Element, parse};
use read_support::{World, build, shop};
use spangraph::proto::{ConnectionType, NodeType, Slice};
use spangraph::render::{Picture, svg};
use spangraph::topology::layout::{BOX_HEIGHT, BOX_WIDTH, layout};
use spangraph::topology::{GroupBy, Health, Params, Topology, layout_graph};

fn placed(slice: &Slice, query: &str) -> Topology {
    let mut topology = build(slice, query).unwrap();
    let group_by = if query.contains("group_by=namespace") {
        GroupBy::Namespace
    } else {
        GroupBy::Service
    };
    topology.place(&layout(
        None,
        &layout_graph(slice.clone(), &group_by).unwrap(),
    ));
    topology
}

fn drawn(topology: &Topology, look: &str) -> Element {
    let mut params = Params::decode(look);
    let picture = Picture::take(&mut params);
    params.finish().unwrap();
    let mut out = String::new();
    svg::write(topology, &picture, &mut out).unwrap();
    parse(&out)
}

/// The box of each node, where the layout has it: pictures that run from left to right do not move it.
fn boxes(topology: &Topology) -> Vec<(String, Rect)> {
    let (w, h) = (f64::from(BOX_WIDTH) / 2.0, f64::from(BOX_HEIGHT) / 2.0);
    let one = |node: &spangraph::topology::Node| {
        let place = node.place.unwrap();
        let (x, y) = (f64::from(place.x), f64::from(place.y));
        (node.counted.id.clone(), (x - w, y - h, x + w, y + h))
    };
    topology.nodes.iter().map(one).collect()
}

/// Tiers, some calls across and backwards, several namespaces and stores.
fn mesh(nodes: usize, edges: usize, seed: usize) -> Slice {
    let mut w = World::new();
    let refs: Vec<u32> = (0..nodes)
        .map(|at| match at % 7 {
            6 => w.virtual_node(&format!("database:store-{at}")),
            ns => w.service(&format!("ns{}/service-{at}", ns % 3)),
        })
        .collect();
    let mut dice = seed;
    let mut roll = |bound: usize| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % bound
    };
    for _ in 0..edges {
        let (client, server) = (roll(nodes), roll(nodes));
        let both = 1 + roll(5_000) as u64;
        let failed = if roll(6) == 0 { both / 9 } else { 0 };
        w.call(
            (refs[client], refs[server]),
            ConnectionType::None,
            (both, 0),
            failed,
        );
    }
    w.done()
}

#[test]
fn every_node_and_edge_is_in_the_picture() {
    let topology = placed(&shop(), "");
    let svg = drawn(&topology, "");
    assert_inert(&svg);
    let nodes = topology.nodes.iter().map(|n| n.counted.id.clone());
    let expected: BTreeSet<_> = nodes
        .chain(topology.edges.iter().map(|e| e.id.clone()))
        .collect();
    assert_eq!(ids(&svg), expected);
    let titles: Vec<_> = svg
        .all()
        .into_iter()
        .filter(|e| e.name == "title")
        .collect();
    assert_eq!(
        titles.len(),
        expected.len() + 1 + 2,
        "one each, the picture's, and one of each namespace"
    );
    let checkout = svg
        .all()
        .into_iter()
        .find(|e| e.attribute("data-id") == "shop/checkout")
        .unwrap();
    let words: Vec<_> = checkout.named("text").map(|t| t.text.as_str()).collect();
    assert_eq!(words, ["checkout", "2.1/s · 0.97% · p95 31 ms"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Guarantees: whatever services and namespaces are called, the picture is well-formed, holds every element once,
    /// and is made of nothing that could run, fetch or restyle.
    #[test]
    fn no_name_becomes_markup(names in prop::collection::btree_set(".{1,40}|[<>&\"'\\]/=a-z:;(){}\\s]{1,30}", 1..6)) {
        let mut w = World::new();
        let entry = w.service("entry");
        for (at, name) in names.iter().enumerate() {
            let node = w.node(&format!("{at}{name}"), name, name, NodeType::Service);
            w.plain(entry, node, 1);
        }
        for look in ["", "theme=dark&rankdir=BT"] {
            let svg = drawn(&placed(&w.so_far(), ""), look);
            assert_inert(&svg);
            prop_assert_eq!(ids(&svg).len(), 1 + 2 * names.len());
        }
    }

    /// Guarantees: no edge runs through the box of a node that is not its own, and no label lies on a box or on
    /// another label.
    #[test]
    fn edges_and_labels_keep_clear_of_strangers(nodes in 2_usize..40, per_node in 1_usize..4, seed in 0_usize..10_000) {
        let topology = placed(&mesh(nodes, nodes * per_node / 2 + 1, seed), "");
        let svg = drawn(&topology, "");
        let boxes = boxes(&topology);
        for edge in &topology.edges {
            let group = svg.all().into_iter().find(|e| e.attribute("data-id") == edge.id).unwrap();
            let path = group.named("path").next().unwrap().attribute("d");
            for (id, area) in boxes.iter().filter(|(id, _)| *id != edge.client && *id != edge.server) {
                for (x, y) in points(path) {
                    let inside = area.0 < x && x < area.2 && area.1 < y && y < area.3;
                    prop_assert!(!inside, "{} to {} runs through {id} at {x} {y}: {path}", edge.client, edge.server);
                }
            }
        }
        let labels: Vec<Rect> = svg
            .named("g")
            .filter(|g| g.attribute("text-anchor") == "middle")
            .flat_map(|g| g.named("rect").map(rect))
            .collect();
        for (at, label) in labels.iter().enumerate() {
            prop_assert!(boxes.iter().all(|(_, area)| !meet(*label, *area)));
            prop_assert!(labels[at + 1..].iter().all(|other| !meet(*label, *other)));
        }
    }
}

/// Guarantees: everything drawn is inside the picture, whichever way calls run.
#[test]
fn nothing_is_outside_the_picture() {
    for rankdir in ["LR", "TB", "RL", "BT"] {
        let svg = drawn(&placed(&mesh(30, 50, 7), ""), &format!("rankdir={rankdir}"));
        assert_inside(&svg);
    }
}

/// Guarantees: what a filter leaves is drawn close together, and still nothing overlaps.
#[test]
fn a_part_is_drawn_without_the_room_of_the_rest() {
    let slice = mesh(60, 90, 3);
    let whole = drawn(&placed(&slice, ""), "");
    let part = placed(&slice, "focus=ns0%2Fservice-0&up=0&down=1");
    assert!(part.hidden.nodes > 0);
    let svg = drawn(&part, "");
    assert!(svg.number("height") < whole.number("height"));
    assert_eq!(ids(&svg).len(), part.nodes.len() + part.edges.len());
}

/// Guarantees: every edge has its label, or is among those that the title says are not shown; in a sparse picture none is.
#[test]
fn labels_without_room_are_counted_in_the_title() {
    let (mut missing, mut shortened) = (Vec::new(), 0);
    for (nodes, edges) in [(12, 14), (60, 90), (14, 140), (100, 400)] {
        let topology = placed(&mesh(nodes, edges, 5), "");
        let svg = drawn(&topology, "");
        let labels = svg
            .named("g")
            .filter(|g| g.attribute("text-anchor") == "middle")
            .count();
        let title = svg.named("title").next().unwrap().text.clone();
        let said = title
            .split(", ")
            .find_map(|part| part.strip_suffix(" edge labels not shown (see their tooltips)"));
        let said: usize = said.map_or(0, |n| n.parse().unwrap());
        assert_eq!(labels + said, topology.edges.len(), "{title}");
        missing.push(said);
        shortened += svg.all().iter().filter(|e| e.text.ends_with(" …")).count();
    }
    assert!(
        shortened > 0,
        "in little room only the most telling line stands"
    );
    assert!(missing[0] == 0 && missing[1] == 0, "{missing:?}");
    assert!(missing[2] > 0 && missing[3] > 150, "{missing:?}");
}

#[test]
fn namespaces_can_be_the_nodes() {
    let svg = drawn(&placed(&shop(), "group_by=namespace"), "");
    assert!(ids(&svg).contains("namespace:shop"));
    assert_inert(&svg);
}

#[test]
fn an_empty_window_says_so() {
    let svg = drawn(&placed(&World::new().done(), ""), "");
    assert_eq!(svg.named("text").count(), 1);
    let words: Vec<_> = svg
        .all()
        .into_iter()
        .filter(|e| e.name == "tspan")
        .map(|e| e.text.clone())
        .collect();
    assert_eq!(words[0], "No calls in this window");
}

/// Guarantees: health is told by a sign, not by colour alone, also where no label says it; and by words in the tooltip.
#[test]
fn health_is_told_without_colour() {
    let topology = placed(&mesh(40, 70, 11), "");
    let failing = topology
        .edges
        .iter()
        .filter(|e| e.health == Some(Health::Failing))
        .count();
    let nodes = topology
        .nodes
        .iter()
        .filter(|n| n.health == Some(Health::Failing))
        .count();
    assert!(failing > 5 && nodes > 2);
    for look in ["", "label=rate", "label=none"] {
        let svg = drawn(&topology, look);
        let elements = svg.all();
        let told = elements
            .iter()
            .filter(|e| e.named("title").any(|t| t.text.contains("health failing")));
        assert_eq!(told.count(), nodes + failing);
        let said = elements
            .iter()
            .filter(|e| e.name == "text" && e.text.starts_with('✕'))
            .count();
        let signs = elements.iter().filter(|e| e.name == "circle").count();
        assert_eq!(
            said + signs,
            nodes + failing + 1,
            "{look}: one each, and that of the legend"
        );
    }
}

/// Guarantees: dashes are messages, whatever became of them, and nothing else is dashed but their sample in the legend.
#[test]
fn a_dash_is_a_message() {
    let mut w = World::new();
    let (web, topic, audit) = (
        w.service("web"),
        w.virtual_node("messaging:orders"),
        w.service("audit"),
    );
    w.call((web, topic), ConnectionType::MessagingSystem, (0, 100), 50);
    w.call((topic, audit), ConnectionType::MessagingSystem, (100, 0), 0);
    w.call((web, audit), ConnectionType::None, (100, 0), 50);
    let topology = placed(&w.done(), "");
    let svg = drawn(&topology, "");
    let is_dashed = |e: &Element| {
        e.named("path")
            .any(|p| p.attributes.contains_key("stroke-dasharray"))
    };
    for element in svg.all() {
        let id = element.attribute("data-id");
        let edge = topology.edges.iter().find(|e| e.id == id);
        let message =
            edge.is_some_and(|e| e.client == "messaging:orders" || e.server == "messaging:orders");
        assert!(id.is_empty() || is_dashed(element) == message, "{id}");
    }
    let dashes = svg
        .all()
        .into_iter()
        .filter(|e| e.attributes.contains_key("stroke-dasharray"));
    assert_eq!(dashes.count(), 2 + 1);
}

#[test]
fn equal_data_is_equal_bytes() {
    let mut turned = shop();
    turned.edges.reverse();
    let text = |slice: &Slice| {
        let mut out = String::new();
        svg::write(&placed(slice, ""), &Picture::default(), &mut out).unwrap();
        out
    };
    assert_eq!(text(&shop()), text(&turned));
}
