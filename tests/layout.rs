//! The layout as its readers rely on it: nobody moves, nobody overlaps, equal graphs look equal.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use spangraph::topology::layout::{
    BOX_HEIGHT, BOX_WIDTH, FRAME_HEAD, FRAME_PAD, Graph, Layout, Place, layout,
};

/// A graph as a test makes it: `(namespace, number)` names a node.
#[derive(Debug, Clone)]
struct Sketch {
    nodes: Vec<(String, Option<String>)>,
    edges: Vec<(String, String, u64)>,
}

// === impl Sketch ===

impl Sketch {
    fn graph(&self) -> Graph {
        Graph::new(self.nodes.clone(), self.edges.clone())
    }

    /// Without the nodes from `at` on, and their edges with them.
    fn first(&self, at: usize) -> Self {
        let nodes = self.nodes[..at].to_vec();
        let kept = |id: &String| nodes.iter().any(|(node, _)| node == id);
        let edges = self.edges.iter().filter(|(a, b, _)| kept(a) && kept(b));
        Self {
            edges: edges.cloned().collect(),
            nodes: nodes.clone(),
        }
    }

    fn chain(ids: &[&str]) -> Self {
        Self {
            nodes: ids.iter().map(|id| ((*id).to_owned(), None)).collect(),
            edges: ids
                .windows(2)
                .map(|w| (w[0].to_owned(), w[1].to_owned(), 10))
                .collect(),
        }
    }

    fn call(&mut self, client: &str, server: &str, calls: u64) {
        for id in [client, server] {
            if self.nodes.iter().all(|(node, _)| node != id) {
                self.nodes.push((id.to_owned(), None));
            }
        }
        self.edges
            .push((client.to_owned(), server.to_owned(), calls));
    }
}

fn sketches(most: usize) -> impl Strategy<Value = Sketch> {
    let nodes = prop::collection::vec(0_usize..5, 1..most);
    nodes.prop_flat_map(|namespaces| {
        let count = namespaces.len();
        let edges = prop::collection::vec((0..count, 0..count, 1_u64..1_000), 0..count * 3);
        edges.prop_map(move |edges| {
            let id = |at: usize| match namespaces[at] {
                0 => format!("database:{at}"),
                ns => format!("ns{ns}/{at}"),
            };
            let namespace =
                |at: usize| (namespaces[at] > 0).then(|| format!("ns{}", namespaces[at]));
            Sketch {
                nodes: (0..count).map(|at| (id(at), namespace(at))).collect(),
                edges: edges
                    .into_iter()
                    .map(|(a, b, calls)| (id(a), id(b), calls))
                    .collect(),
            }
        })
    })
}

type Rect = (i32, i32, i32, i32);

fn rect(place: Place) -> Rect {
    let (w, h) = (BOX_WIDTH / 2, BOX_HEIGHT / 2);
    (place.x - w, place.y - h, place.x + w, place.y + h)
}

fn meet(a: Rect, b: Rect) -> bool {
    a.0 <= b.2 && b.0 <= a.2 && a.1 <= b.3 && b.1 <= a.3
}

fn places(layout: &Layout) -> BTreeMap<String, Place> {
    layout
        .places()
        .map(|(id, place)| (id.to_owned(), place))
        .collect()
}

/// Every node of the sketch has a place, no two boxes touch, and frames hold their own namespace and nobody else.
fn assert_orderly(layout: &Layout, sketch: &Sketch) {
    let places = places(layout);
    assert_eq!(places.len(), sketch.nodes.len());
    let namespaces: BTreeMap<_, _> = sketch.nodes.iter().cloned().collect();
    let mut frames: BTreeMap<u32, (Option<String>, Rect)> = BTreeMap::new();
    for (id, place) in &places {
        assert_eq!(place.frame > 0, namespaces[id].is_some(), "{id} {place:?}");
        let own = rect(*place);
        for (other, there) in places.range::<String, _>((
            std::ops::Bound::Excluded(id.clone()),
            std::ops::Bound::Unbounded,
        )) {
            assert!(
                !meet(own, rect(*there)),
                "{id} {place:?} on {other} {there:?}"
            );
        }
        if place.frame > 0 {
            let around = (
                own.0 - FRAME_PAD,
                own.1 - FRAME_HEAD,
                own.2 + FRAME_PAD,
                own.3 + FRAME_PAD,
            );
            let namespace = namespaces[id].clone();
            let (of, area) = frames
                .entry(place.frame)
                .or_insert((namespace.clone(), around));
            assert_eq!(*of, namespace, "one frame, one namespace");
            *area = (
                area.0.min(around.0),
                area.1.min(around.1),
                area.2.max(around.2),
                area.3.max(around.3),
            );
        }
    }
    for (number, (namespace, area)) in &frames {
        for (other, (_, there)) in &frames {
            assert!(
                number == other || !meet(*area, *there),
                "frames {number} and {other} meet: {frames:?}"
            );
        }
        for (id, place) in &places {
            let stranger = place.frame != *number;
            assert!(
                !(stranger && meet(*area, rect(*place))),
                "{id} stands in the frame of {namespace:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Guarantees: a first layout overlaps nowhere and mixes no namespaces, cycles or not.
    #[test]
    fn a_first_layout_is_orderly(sketch in sketches(60)) {
        let first = layout(None, &sketch.graph());
        assert_orderly(&first, &sketch);
        prop_assert!(first.places().all(|(_, place)| place.rank <= 12));
    }

    /// Guarantees: the order in which nodes and edges are named does not show, nor how often an edge is named.
    #[test]
    fn equal_graphs_have_equal_layouts(sketch in sketches(40), turn in 0_usize..40) {
        let first = layout(None, &sketch.graph());
        let mut turned = sketch.clone();
        turned.nodes.reverse();
        let length = turned.edges.len().max(1);
        turned.edges.rotate_left(turn % length);
        for at in 0..turned.edges.len() {
            let (client, server, calls) = turned.edges[at].clone();
            turned.edges[at].2 = calls / 2;
            turned.edges.push((client, server, calls - calls / 2));
        }
        let again = layout(None, &turned.graph());
        prop_assert_eq!(places(&again), places(&first));
        prop_assert_eq!(again.epoch(), first.epoch());
    }

    /// Guarantees: as long as no more than 30 % of the nodes came or went, whoever was there stays where it was, in one
    /// epoch, and whoever came overlaps nobody, also when some left and came back.
    #[test]
    fn nobody_moves_when_others_come_and_go(sketch in sketches(50), steps in prop::collection::vec(0_usize..100, 1..6)) {
        let founders = (sketch.nodes.len() * 10).div_ceil(13);
        let mut now = layout(None, &sketch.first(founders).graph());
        let epoch = now.epoch().to_owned();
        let most = sketch.nodes.len().min(founders + founders * 3 / 10);
        let least = founders - founders * 3 / 10;
        for step in steps {
            let there = sketch.first(least + step % (most - least + 1));
            let next = layout(Some(&now), &there.graph());
            assert_orderly(&next, &there);
            prop_assert_eq!(next.epoch(), &epoch);
            for (id, place) in next.places() {
                let before = now.place(id);
                prop_assert!(before.is_none_or(|before| before == place), "{} moved", id);
            }
            now = next;
        }
    }

    /// Guarantees: beyond 30 % everything is laid out as if nothing had been there before.
    #[test]
    fn a_graph_that_outgrew_its_layout_is_laid_out_anew(sketch in sketches(50)) {
        let founders = sketch.nodes.len() / 2;
        prop_assume!(founders > 0);
        let before = layout(None, &sketch.first(founders).graph());
        let after = layout(Some(&before), &sketch.graph());
        let first = layout(None, &sketch.graph());
        prop_assert_eq!(places(&after), places(&first));
        prop_assert_eq!(after.epoch(), first.epoch());
        prop_assert_ne!(after.epoch(), before.epoch());
    }

    /// Guarantees: nodes put beside a layout for one answer get the places they would get if they came.
    #[test]
    fn guests_stand_where_newcomers_would(sketch in sketches(40)) {
        // So few come that the layout is kept.
        let founders = (sketch.nodes.len() * 10).div_ceil(13);
        let before = layout(None, &sketch.first(founders).graph());
        let joined = before.joined_by(&sketch.graph());
        prop_assert_eq!(places(&joined), places(&layout(Some(&before), &sketch.graph())));
    }
}

/// Guarantees: a service that comes to four or more moves none of them.
#[test]
fn one_more_service_moves_no_other() {
    let mut sketch = Sketch::chain(&["user:user", "web", "checkout", "database:orders"]);
    let before = layout(None, &sketch.graph());
    sketch.call("checkout", "payments", 5);
    let after = layout(Some(&before), &sketch.graph());
    assert_eq!(after.epoch(), before.epoch());
    for (id, place) in before.places() {
        assert_eq!(after.place(id), Some(place), "{id}");
    }
    let payments = after.place("payments").unwrap();
    assert_eq!(payments.rank, 3, "one after its caller");
    assert_eq!(payments.x, after.place("database:orders").unwrap().x);
}

#[test]
fn ranks_count_from_whoever_begins() {
    let mut sketch = Sketch::chain(&["a", "b", "c", "d", "e"]);
    // Seldom called by late ones, mostly by the first: it stands right after the first.
    sketch.call("a", "log", 1_000);
    sketch.call("d", "log", 10);
    sketch.call("e", "log", 10);
    // Nobody calls it, and it calls a late one: it stands right before that.
    sketch.call("cron", "e", 1);
    let places = layout(None, &sketch.graph());
    let rank = |id: &str| places.place(id).unwrap().rank;
    assert_eq!(["a", "b", "c", "d", "e"].map(rank), [0, 1, 2, 3, 4]);
    assert_eq!((rank("log"), rank("cron")), (1, 3));
}

/// Guarantees: of a cycle the direction with more calls runs forwards, and a cycle without an entrance ends too.
#[test]
fn cycles_are_opened_where_fewest_calls_run() {
    let mut sketch = Sketch::chain(&["user:user", "web", "shop"]);
    sketch.call("shop", "web", 1);
    let places = layout(None, &sketch.graph());
    assert_eq!(places.place("web").unwrap().rank, 1);
    assert_eq!(places.place("shop").unwrap().rank, 2);
    let mut ring = Sketch::chain(&["a", "b", "c"]);
    ring.call("c", "a", 1);
    let places = layout(None, &ring.graph());
    assert_eq!(
        ["a", "b", "c"].map(|id| places.place(id).unwrap().rank),
        [0, 1, 2]
    );
}

/// Guarantees: a straight chain is drawn straight.
#[test]
fn a_chain_is_level() {
    let places = layout(None, &Sketch::chain(&["a", "b", "c", "d"]).graph());
    let heights: Vec<i32> = places.places().map(|(_, place)| place.y).collect();
    assert!(heights.windows(2).all(|w| w[0] == w[1]), "{heights:?}");
}

/// Guarantees: a node with very many neighbours does not make a tower: its rank takes several columns.
#[test]
fn a_star_is_wider_than_a_tower() {
    let mut sketch = Sketch::chain(&["gateway"]);
    for at in 0..120 {
        sketch.call("gateway", &format!("backend-{at:03}"), 1);
    }
    let places = places(&layout(None, &sketch.graph()));
    let (xs, ys): (Vec<i32>, Vec<i32>) = places.values().map(|p| (p.x, p.y)).unzip();
    let span = |list: &[i32]| list.iter().max().unwrap() - list.iter().min().unwrap();
    assert!(
        span(&ys) < span(&xs) * 2,
        "{} high, {} wide",
        span(&ys),
        span(&xs)
    );
}

#[test]
fn an_empty_graph_has_an_empty_layout() {
    let empty = layout(None, &Graph::default());
    assert_eq!(empty.places().count(), 0);
    let one = layout(Some(&empty), &Sketch::chain(&["a"]).graph());
    assert_eq!(one.places().count(), 1);
    assert_ne!(one.epoch(), empty.epoch());
}
