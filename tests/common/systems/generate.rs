//! Random systems and ways: any soup of spans, traces that grow like real ones, messages on their way, wrapped calls.

use proptest::prelude::*;
use proptest::sample::select;
use spangraph::semconv::NamingConfig;

use super::grown::{grown, step};
use super::promised::{ids_are_unshared, promised};
use super::shapes::{delivered, wrapped};
use super::spans::{KINDS, PROBE, chaotic, messaging_kinds};
use super::{System, Way};
use crate::oracle::{Ignore, Options, SharedIds, UserNode, Waits};

/// Short ones, so that twenty seconds hold everything that can happen around them: retained for longer than a message
/// waits, for a little less, for as long, as by default, and for so short that much is forgotten which others wait for.
const WAITS: [Waits; 6] = [
    Waits {
        wait: 3,
        messaging_wait: 5,
        retain: 9,
    },
    Waits {
        wait: 3,
        messaging_wait: 5,
        retain: 4,
    },
    Waits {
        wait: 2,
        messaging_wait: 2,
        retain: 2,
    },
    Waits {
        wait: 1,
        messaging_wait: 6,
        retain: 6,
    },
    Waits {
        wait: 2,
        messaging_wait: 7,
        retain: 1,
    },
    Waits {
        wait: 4,
        messaging_wait: 1,
        retain: 1,
    },
];

/// Any system; with `long_retention` also such as remember for longer than messages wait.
pub fn system(long_retention: bool) -> impl Strategy<Value = System> {
    let spans = prop_oneof![
        2 => prop::collection::vec(chaotic(), 1..25).boxed(),
        2 => grown(step(KINDS.to_vec(), 0.1, 0.15)).boxed(),
        3 => grown(step(messaging_kinds(), 0.8, 0.6)).boxed(),
        2 => delivered().boxed(),
        2 => wrapped().boxed(),
    ];
    (spans, options(long_retention)).prop_map(|(spans, mut options)| {
        let spans = promised(spans, options.match_low64);
        if !ids_are_unshared(&spans, options.match_low64) && options.shared_ids == SharedIds::Never
        {
            options.shared_ids = SharedIds::Auto;
        }
        System { spans, options }
    })
}

fn options(long_retention: bool) -> impl Strategy<Value = Options> {
    let waits = select(WAITS[usize::from(!long_retention)..].to_vec());
    let flags = (
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.5),
        prop::bool::weighted(0.1),
    );
    let user_node = prop_oneof![
        6 => Just(UserNode::Shared), 1 => Just(UserNode::PerService), 1 => Just(UserNode::Off)
    ];
    let shared_ids = prop_oneof![
        4 => Just(SharedIds::Auto), 1 => Just(SharedIds::Never), 1 => Just(SharedIds::Always)
    ];
    (waits, flags, user_node, shared_ids, ignore()).prop_map(
        move |(
            waits,
            (match_low64, sampling, unknown_peer_node),
            user_node,
            shared_ids,
            ignore,
        )| Options {
            match_low64,
            naming: NamingConfig {
                unknown_peer_node,
                ..NamingConfig::default()
            },
            user_node,
            shared_ids,
            sampling,
            ignore,
            ..Options::new(waits)
        },
    )
}

/// Any way.
pub fn way() -> impl Strategy<Value = Way> {
    (
        any::<u64>(),
        1..9_usize,
        1..9_usize,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(order, shards, spans_per_request, json)| Way {
            order,
            shards,
            spans_per_request,
            json,
        })
}

/// Mostly no rule; else one or two.
fn ignore() -> impl Strategy<Value = Vec<Ignore>> {
    let rule = |service: Option<&str>, span_name: Option<&str>, kind: Option<&str>| Ignore {
        service: service.map(str::to_owned),
        span_name: span_name.map(str::to_owned),
        kind: kind.map(str::to_owned),
    };
    let rules = vec![
        rule(None, Some("*healthz"), None),
        rule(None, Some("GET *"), Some("SERVER")),
        rule(Some("s*"), Some(PROBE), Some("C*")),
        rule(Some("s2"), None, None),
        rule(Some("unknown_*"), None, None),
        rule(None, None, Some("PRODUCER")),
        rule(Some("s1"), None, Some("INTERNAL")),
    ];
    prop_oneof![
        2 => Just(Vec::new()).boxed(),
        1 => prop::collection::vec(select(rules), 1..3).boxed(),
    ]
}
