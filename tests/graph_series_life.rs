//! How a series begins, goes on and ends, and who has one.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use prost::Message as _;
use read_support::series::{MANY, Name, ROOM, counted, map, plain, shown, take};
use read_support::{START, histogram};
use spangraph::proto::Exemplar;
use spangraph::topology::series::Totals;

/// Scenario: an edge goes idle, the history forgets its last second, and it returns.
/// Guarantees: its series is there as long as the history is, then gone, then begins at 0 with a new beginning.
#[test]
fn a_series_ends_with_the_history_and_returns_from_zero() {
    let totals = Totals::new(MANY, ROOM);
    take(&totals, &plain(0, &[("a", "b", 7)]));
    let idle = |oldest| {
        totals.add(&plain(60, &[("c", "d", 1)]).encode_to_vec(), oldest);
        shown(&totals)
    };
    assert_eq!(idle(START)["a>b"], (7, 0));
    assert!(!idle(START + 1).contains_key("a>b"), "second 0 is gone");
    totals.add(&plain(90, &[("a", "b", 2)]).encode_to_vec(), START + 1);
    assert_eq!(shown(&totals), map([("a>b", (2, 90)), ("c>d", (2, 60))]));
}

/// Scenario: calls to an external node; then the service of that name shows itself.
/// Guarantees: the series becomes the service's, whole, with its beginning, and without the durations that only the
/// client had; later calls to the external node count there as well.
#[test]
fn a_service_that_shows_itself_takes_its_calls_along() {
    let totals = Totals::new(MANY, ROOM);
    let mut first = plain(0, &[("shop/web", "external:cart", 5)]);
    first.edges[0].server_latency = histogram(&[1_000_000], 4);
    first.edges[0].client_latency = histogram(&[1_000_000], 4);
    take(&totals, &first);
    assert_eq!(counted(&totals).keys().next().unwrap().4, "virtual_node");
    take(&totals, &plain(1, &[("user:user", "shop/cart", 1)]));
    take(&totals, &plain(2, &[("shop/web", "external:cart", 2)]));
    let all = counted(&totals);
    let short = |name: &Name| (name.0.clone(), name.3.clone(), name.4.clone());
    let (_, figures) = all.iter().find(|(name, _)| name.0 == "web").unwrap();
    let names: Vec<_> = all.keys().map(short).collect();
    let own = |client: &str, kind: &str| (client.to_owned(), "shop".to_owned(), kind.to_owned());
    assert_eq!(names, [own("user", "virtual_node"), own("web", "")]);
    assert_eq!(*figures, (7, 0, [None, Some((1, 1_000_000)), None]));
    assert_eq!(
        shown(&totals),
        map([("web>cart", (7, 0)), ("user>cart", (1, 1))])
    );
}

/// Scenario: a second service of the name comes when calls were already counted as the first's.
/// Guarantees: they stay there; later ones count by what is known then.
#[test]
fn what_was_counted_as_a_service_stays() {
    let totals = Totals::new(MANY, ROOM);
    take(
        &totals,
        &plain(
            0,
            &[
                ("shop/web", "external:cart", 5),
                ("user:user", "ops/cart", 1),
            ],
        ),
    );
    take(&totals, &plain(1, &[("user:user", "dev/cart", 1)]));
    take(&totals, &plain(2, &[("shop/web", "external:cart", 2)]));
    let calls: Vec<(String, String, u64)> = counted(&totals)
        .into_iter()
        .filter(|(name, _)| name.0 == "web")
        .map(|(name, figures)| (name.3, name.4, figures.0))
        .collect();
    let own = |ns: &str, kind: &str, calls| (ns.to_owned(), kind.to_owned(), calls);
    assert_eq!(calls, [own("", "virtual_node", 2), own("ops", "", 5)]);
}

/// Scenario: two places; the busiest of a second get them, later ones must show more than twice as many calls.
/// Guarantees: who is displaced ends, who comes in begins with this second, the rest is overflow and counted.
#[test]
fn places_go_to_the_busiest() {
    let totals = Totals::new(2, ROOM);
    take(
        &totals,
        &plain(0, &[("a", "x", 3), ("b", "x", 9), ("c", "x", 1)]),
    );
    assert_eq!(
        shown(&totals),
        map([
            ("a>x", (3, 0)),
            ("b>x", (9, 0)),
            ("overflow>overflow", (1, 0))
        ])
    );
    take(&totals, &plain(1, &[("c", "x", 5)]));
    assert_eq!(totals.gauges().displaced, 0, "6 is not more than twice 3");
    take(&totals, &plain(2, &[("c", "x", 1)]));
    assert_eq!(
        shown(&totals),
        map([
            ("b>x", (9, 0)),
            ("c>x", (1, 2)),
            ("overflow>overflow", (6, 0))
        ])
    );
    take(&totals, &plain(3, &[("a", "x", 1), ("c", "x", 4)]));
    assert_eq!(
        shown(&totals),
        map([
            ("b>x", (9, 0)),
            ("c>x", (5, 2)),
            ("overflow>overflow", (7, 0))
        ])
    );
    let gauges = totals.gauges();
    assert_eq!(
        (gauges.series, gauges.overflow_calls, gauges.displaced),
        (2, 7, 1)
    );
}

/// Scenario: every place is taken by an edge that was called once, and there are more busy ones than can be remembered.
/// Guarantees: the busiest gets a place soon, and a quiet edge ends for it.
#[test]
fn what_is_busy_gets_a_place_however_much_else_waits() {
    let totals = Totals::new(3, 64 << 10);
    take(
        &totals,
        &plain(0, &[("a", "x", 3), ("b", "x", 3), ("c", "x", 3)]),
    );
    let names: Vec<String> = (0..400).map(|n| format!("warm{n}")).collect();
    for second in 1..5 {
        let warm = names.iter().map(|name| (name.as_str(), "x", 1));
        let calls: Vec<_> = warm.chain([("hot", "x", 2)]).collect();
        take(&totals, &plain(second, &calls));
        assert!(totals.gauges().bytes <= 64 << 10);
    }
    let hot = shown(&totals)["hot>x"];
    assert_eq!(
        hot,
        (2, 4),
        "8 calls, of which 6 came before it was more than twice 3"
    );
    assert_eq!(totals.gauges().displaced, 1);
}

/// Scenario: an edge of three zones comes in, and with it a call of a series that is among the smallest.
/// Guarantees: it takes one place and not one for each zone; a series ends only with calls it has shown.
#[test]
fn an_edge_takes_one_place_however_many_parts_it_has() {
    let totals = Totals::new(2, ROOM);
    take(&totals, &plain(0, &[("a", "x", 2), ("b", "x", 1)]));
    let zones = ["c;zone=1", "c;zone=2", "c;zone=3"].map(|c| (c, "x", 2));
    take(
        &totals,
        &plain(1, &[zones.as_slice(), &[("b", "x", 1)]].concat()),
    );
    assert_eq!(
        shown(&totals),
        map([
            ("a>x", (2, 0)),
            ("c>x", (6, 1)),
            ("overflow>overflow", (1, 1))
        ])
    );
    assert_eq!(totals.gauges().displaced, 1);
}

/// Guarantees: bytes bound the series like their number does, and are given back when series end.
#[test]
fn bytes_are_a_bound_too() {
    let totals = Totals::new(MANY, 32 << 10);
    let long = "n".repeat(200);
    for second in 0..40 {
        let (client, server) = (format!("c{second}{long}"), format!("s{long}"));
        take(&totals, &plain(second, &[(&client, &server, 1)]));
        assert!(totals.gauges().bytes <= 32 << 10, "{:?}", totals.gauges());
    }
    let all: u64 = totals
        .snapshot()
        .iter()
        .map(|series| series.sums.calls())
        .sum();
    assert_eq!(all, 40);
    assert!(totals.gauges().overflow_calls > 30);
    let full = totals.gauges().bytes;
    totals.add(&plain(50, &[]).encode_to_vec(), START + 50);
    assert!(totals.snapshot().is_empty() && totals.gauges().bytes < full / 2);
}

/// Guarantees: an exemplar is in the bucket of its duration, on the side whose sample it is, and gives way to a newer.
#[test]
fn exemplars_are_samples_of_their_bucket() {
    let totals = Totals::new(MANY, ROOM);
    for second in 0..2 {
        let mut slice = plain(second, &[("a", "b", 2)]);
        let edge = &mut slice.edges[0];
        edge.client_latency = histogram(&[40_000_000, 5_000_000], 4);
        edge.server_latency = histogram(&[30_000_000], 4);
        let exemplar = Exemplar {
            trace_id: vec![u8::try_from(second).unwrap(); 16],
            span_id: vec![9; 8],
            duration_ns: 40_000_000,
            second: START + second,
        };
        (edge.slowest, edge.failed_exemplar) = (Some(exemplar.clone()), Some(exemplar));
        take(&totals, &slice);
    }
    let series = totals.snapshot().remove(0);
    let client: Vec<_> = series.sums.client.as_ref().unwrap().cumulative().collect();
    // 40 ms lie at or below 2^-4 s, the seventh bound.
    let (below, sample) = client[6];
    assert_eq!((below, sample.unwrap().trace), (4, [1; 16]));
    assert_eq!(
        client.iter().filter(|(_, sample)| sample.is_some()).count(),
        1
    );
    let server = series.sums.server.as_ref().unwrap().cumulative();
    assert!(
        server
            .map(|(_, sample)| sample)
            .all(|sample| sample.is_none())
    );
    assert_eq!(series.sums.failed_exemplar.unwrap().second, START + 1);
}

/// Guarantees: a NUL, at which Prometheus' parser would drop the whole scrape, never reaches a label.
#[test]
fn a_nul_in_a_name_is_replaced() {
    let totals = Totals::new(MANY, ROOM);
    take(
        &totals,
        &plain(0, &[("a\0", "b", 1), ("a\u{fffd}", "b", 2)]),
    );
    assert_eq!(shown(&totals), map([("a\u{fffd}>b", (3, 0))]));
}

#[test]
fn a_slice_that_contradicts_itself_adds_nothing() {
    let totals = Totals::new(MANY, ROOM);
    let mut broken = plain(0, &[("a", "b", 1)]);
    broken.edges[0].server = 7;
    take(&totals, &broken);
    totals.add(b"\xff", START);
    assert_eq!(
        (totals.snapshot().len(), totals.gauges().unreadable),
        (0, 2)
    );
}
