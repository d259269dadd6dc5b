//! Two windows compared under filters: what is shown is decided by both, how it differs by all of each.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use read_support::{World, calls, differ, the_edge};
use spangraph::topology::BuildError;
use spangraph::topology::diff::Status;

/// Guarantees: a threshold decides what is shown and never makes an edge come or go.
#[test]
fn what_passes_in_one_window_is_shown_of_both() {
    let (nine, many) = (calls(9, 0, 10), calls(400, 0, 10));
    for query in [
        "min_calls=10",
        "min_rate_per_s=0.5",
        "focus=web&min_calls=10",
    ] {
        let diff = differ(&nine, &many, query).unwrap();
        assert_eq!(the_edge(&diff).status, Status::Changed, "{query}");
        assert_eq!(the_edge(&diff).base.unwrap().calls, 9, "{query}");
    }
    let both = differ(&nine, &calls(8, 0, 10), "min_calls=10&include=same").unwrap();
    assert!(both.edges.is_empty());
    assert_eq!((both.base.hidden.edges, both.base.hidden.calls), (1, 9));
    assert_eq!((both.head.hidden.edges, both.head.hidden.calls), (1, 8));
}

#[test]
fn a_failing_edge_is_a_problem_of_either_window() {
    let (well, ill) = (calls(900, 0, 10), calls(900, 400, 10));
    for (base, head) in [(&well, &ill), (&ill, &well)] {
        let diff = differ(base, head, "health=problems").unwrap();
        assert_eq!(diff.edges.len(), 1);
    }
    let diff = differ(&well, &well, "health=problems&include=same").unwrap();
    assert!(diff.edges.is_empty());
}

/// Guarantees: the busiest edges of either window are kept, not those of one.
#[test]
fn top_keeps_the_busiest_of_either_window() {
    let busy = |busy: &str, quiet: &str| {
        let mut w = World::new();
        let (web, a, b) = (w.service("web"), w.service(busy), w.service(quiet));
        w.plain(web, a, 1_000);
        w.plain(web, b, 10);
        w.done()
    };
    let diff = differ(&busy("x", "y"), &busy("y", "x"), "top=1").unwrap();
    assert_eq!(diff.edges.len(), 2);
    assert!(
        diff.edges
            .iter()
            .all(|e| e.change.status == Status::Changed)
    );
}

/// Guarantees: a node in focus may be in one window only; in neither, it is unknown.
#[test]
fn a_focus_needs_to_be_in_one_window() {
    let (with, without) = (calls(500, 0, 10), World::new().done());
    let diff = differ(&without, &with, "focus=shop/checkout").unwrap();
    assert_eq!(diff.edges.len(), 1);
    let diff = differ(&with, &without, "focus=shop/checkout&focus=web").unwrap();
    assert_eq!(diff.edges.len(), 1);
    let unknown = differ(&with, &with, "focus=nobody");
    assert_eq!(unknown, Err(BuildError::UnknownNode("nobody".to_owned())));
}
