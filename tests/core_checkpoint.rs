//! A core that is handed over, at whatever moment, goes on as if nothing had happened: the same bytes in every slice.
//! Compared is with a core that was never interrupted, over the random systems of the pairing model.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "systems are compared with the rules elsewhere")]

#[path = "common/oracle/mod.rs"]
mod oracle;
#[path = "common/said.rs"]
mod said;
#[path = "common/served.rs"]
mod served;
#[path = "common/systems/mod.rs"]
mod systems;

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use spangraph::clock::Timestamp;
use spangraph::core::{Core, CoreConfig, RestoreError, Scratch};
use spangraph::otlp::{Encoding, ResourceKeys};
use spangraph::proto::{Checkpoint, CoreState, Origin, Slice};
use spangraph::slice::{Sealed, law};
use spangraph::span::SpanKind;
use systems::{Sent, System, Way};

/// Systems tried unless `CHECKPOINT_CASES` says otherwise.
const CASES: u32 = 1_000;

/// Each tries its share of the systems.
const THREADS: u32 = 4;

/// Unix second in which every system begins.
const BEGIN_S: u64 = 1_795_395_600;

/// One hand-over.
#[derive(Debug, Clone)]
struct Cut {
    /// Before which request.
    request: Index,
    /// Of the core that goes on.
    shards: usize,
    /// Sealed slices are fetched before it, or go with it.
    fetched: bool,
    /// Nanoseconds that the next process's monotonic clock shows when it goes on.
    mono_ns: u64,
}

/// A request, and when it comes.
type Request = (Vec<u8>, Encoding, u64);

fn cut() -> impl Strategy<Value = Cut> {
    let parts = (
        any::<Index>(),
        1..20_usize,
        any::<bool>(),
        0..5_000_000_000_u64,
    );
    parts.prop_map(|(request, shards, fetched, mono_ns)| Cut {
        request,
        shards,
        fetched,
        mono_ns,
    })
}

/// The requests of a system that comes in this way, and the time at which all is decided.
fn requests(system: &System, way: &Way) -> (Vec<Request>, u64) {
    let mut order: Vec<usize> = (0..system.spans.len()).collect();
    let mixed = |at: usize| (at as u64 + 1).wrapping_mul(way.order | 1).rotate_left(29);
    order.sort_by_key(|&at| (system.spans[at].second, mixed(at)));
    let encoding = if way.json {
        Encoding::Json
    } else {
        Encoding::Protobuf
    };
    let mut requests = Vec::new();
    for second in order.chunk_by(|&a, &b| system.spans[a].second == system.spans[b].second) {
        for request in second.chunks(way.spans_per_request) {
            let spans: Vec<&Sent> = request.iter().map(|&at| &system.spans[at]).collect();
            let bytes = systems::request(&spans, encoding, BEGIN_S);
            // Not on the second: what passed of it must come along.
            let ns = spans[0].second * 1_000_000_000 + 17_000_000 * (requests.len() as u64 % 50);
            requests.push((bytes, encoding, ns));
        }
    }
    let ns = |at: &Request| at.2;
    let last = requests.iter().map(ns).max().unwrap_or(0) / 1_000_000_000;
    let waits = system.options.waits;
    let wait = waits.wait.max(waits.messaging_wait);
    (requests, last + 3 * wait + waits.retain + 1)
}

fn config(system: &System, shards: usize) -> CoreConfig {
    CoreConfig {
        resource_keys: ResourceKeys::default().sampled_by(Some(systems::RATIO_KEY.to_owned())),
        idle_s: 15 * 60,
        rules: spangraph::pairing::Rules {
            learn_aliases: true,
            ..served::rules(system)
        },
        pairing_bytes: 64 << 20,
        shards,
        max_nodes: 1_000,
        max_edges: 1_000,
        digest: "test".to_owned(),
    }
}

fn origin() -> Origin {
    Origin {
        instance: "one".to_owned(),
        ..Origin::default()
    }
}

/// Nanoseconds after the beginning, on a wall clock and on a monotonic clock that started by so much later.
fn at(ns: u64, mono_started_ns: u64) -> Timestamp {
    let wall_ns = BEGIN_S * 1_000_000_000 + ns;
    Timestamp {
        wall_ns,
        mono_ns: wall_ns - mono_started_ns,
    }
}

fn bytes(sealed: Vec<Sealed>) -> Vec<Vec<u8>> {
    sealed.into_iter().map(|s| s.bytes.to_vec()).collect()
}

/// The slices of a core that is never interrupted.
fn uninterrupted(system: &System, way: &Way) -> Vec<Vec<u8>> {
    let core = Core::new(config(system, way.shards), origin(), at(0, 0));
    let (requests, end_s) = requests(system, way);
    let mut scratch = Scratch::default();
    for (body, encoding, ns) in &requests {
        core.apply(body, *encoding, &mut scratch, at(*ns, 0))
            .unwrap();
    }
    bytes(core.advance(at(end_s * 1_000_000_000, 0)))
}

/// The slices of a line of cores, and how long the checkpoints between them were.
fn handed_over(system: &System, way: &Way, cuts: &[Cut]) -> (Vec<Vec<u8>>, u64) {
    let (requests, end_s) = requests(system, way);
    let mut core = Core::new(config(system, way.shards), origin(), at(0, 0));
    let (mut slices, mut size, mut clock) = (Vec::new(), 0, 0);
    let mut scratch = Scratch::default();
    for (index, (body, encoding, ns)) in requests.iter().enumerate() {
        let now = |cut: &&Cut| cut.request.index(requests.len()) == index;
        for cut in cuts.iter().filter(now) {
            if cut.fetched {
                slices.extend(bytes(core.advance(at(*ns, clock))));
            }
            let checkpoint = core.checkpoint();
            size += checkpoint.len() as u64;
            clock = at(*ns, 0).wall_ns - cut.mono_ns;
            let config = config(system, cut.shards);
            core = Core::restore(config, origin(), &checkpoint, at(*ns, clock)).unwrap();
            // It remembers small ids, which are the old core's.
            scratch = Scratch::default();
            assert_eq!(core.checkpoint(), checkpoint, "restoring changed the state");
        }
        core.apply(body, *encoding, &mut scratch, at(*ns, clock))
            .unwrap();
    }
    slices.extend(bytes(core.advance(at(end_s * 1_000_000_000, clock))));
    assert_eq!(core.totals().pending_after, 0);
    (slices, size)
}

/// Where both differ, in words.
fn difference(whole: &[Vec<u8>], parts: &[Vec<u8>]) -> Option<String> {
    for (one, other) in whole.iter().zip(parts) {
        if one != other {
            let read = |bytes: &[u8]| Slice::decode(bytes).unwrap();
            return Some(format!("{:#?}\n{:#?}", read(one), read(other)));
        }
    }
    (whole.len() != parts.len()).then(|| format!("{} and {} slices", whole.len(), parts.len()))
}

/// The law of each slice, and from slice to slice what waited after the one waits before the next.
fn check_law(slices: &[Vec<u8>]) {
    let mut pending = 0;
    for slice in slices {
        let slice = Slice::decode(&**slice).unwrap();
        assert_eq!(law::check(&slice), Vec::<String>::new());
        let law = slice.law.unwrap();
        assert_eq!(law.pending_before, pending);
        pending = law.pending_after;
    }
    assert_eq!(pending, 0);
}

fn runner(thread: u32) -> TestRunner {
    let chosen = std::env::var("CHECKPOINT_CASES").ok();
    let cases = chosen
        .as_ref()
        .map_or(CASES, |cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases: cases.div_ceil(THREADS),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        // ChaCha without optimisation takes longer than everything else together.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    };
    if chosen.is_some() {
        return TestRunner::new(config);
    }
    let seed = u128::from(thread + 101).to_le_bytes();
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::XorShift, &seed))
}

/// Scenario: any system of services, handed over before one to three of its requests, so also in the middle of a second,
/// to cores with other numbers of shards, other hash seeds and another monotonic clock; sealed slices fetched before or not.
/// Guarantees: byte for byte the slices of a core that was never interrupted, the law in and between them, and that a
/// restored core's checkpoint is the one it was restored from.
#[test]
fn a_core_handed_over_at_any_moment_seals_the_same_slices() {
    let (systems, cuts_made, size) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let search = |thread: u32| {
        let any = (
            systems::system(true),
            systems::way(),
            prop::collection::vec(cut(), 1..4),
        );
        let result = runner(thread).run(&any, |(system, way, cuts)| {
            let whole = uninterrupted(&system, &way);
            let (parts, bytes) = handed_over(&system, &way, &cuts);
            systems.fetch_add(1, Ordering::Relaxed);
            cuts_made.fetch_add(cuts.len() as u64, Ordering::Relaxed);
            size.fetch_add(bytes, Ordering::Relaxed);
            check_law(&whole);
            match difference(&whole, &parts) {
                None => Ok(()),
                Some(lines) => Err(TestCaseError::fail(lines)),
            }
        });
        result.err().map(|error| error.to_string())
    };
    let found: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let search = &search;
                    move || search(thread)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    said::say(&format!(
        "{} random systems handed over {} times, {} bytes each",
        count(&systems),
        count(&cuts_made),
        count(&size) / count(&cuts_made).max(1)
    ));
    let found: Vec<String> = found.into_iter().flatten().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The first systems that the search would try, the same each time.
fn some_systems(count: u32, test: impl Fn(&System, &Way)) {
    let config = ProptestConfig {
        cases: count,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    };
    let seed = 77_u128.to_le_bytes();
    let rng = TestRng::from_seed(RngAlgorithm::XorShift, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let run = runner.run(&(systems::system(true), systems::way()), |(system, way)| {
        test(&system, &way);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// A core in the midst of a system: after this many of its requests, or all.
fn in_the_midst(system: &System, way: &Way, most: usize) -> Core {
    let core = Core::new(config(system, way.shards), origin(), at(0, 0));
    let mut scratch = Scratch::default();
    for (body, encoding, ns) in requests(system, way).0.into_iter().take(most) {
        core.apply(&body, encoding, &mut scratch, at(ns, 0))
            .unwrap();
    }
    core
}

/// Scenario: the same spans in the same seconds, in two orders, splits and numbers of shards.
/// Guarantees: equal states are equal bytes.
#[test]
fn a_checkpoint_depends_only_on_the_spans_and_their_seconds() {
    some_systems(300, |system, way| {
        let other = Way {
            order: !way.order,
            shards: way.shards % 5 + 1,
            spans_per_request: 9 - way.spans_per_request,
            json: !way.json,
        };
        let one = in_the_midst(system, way, usize::MAX).checkpoint();
        let two = in_the_midst(system, &other, usize::MAX).checkpoint();
        assert_eq!(state(&one), state(&two), "{system:?}");
    });
}

fn state(checkpoint: &[u8]) -> CoreState {
    let checkpoint = Checkpoint::decode(checkpoint).unwrap();
    CoreState::decode(&*checkpoint.state).unwrap()
}

/// A checkpoint of these bytes, with a digest that says they are whole.
fn signed(state: Vec<u8>) -> Vec<u8> {
    let checkpoint = Checkpoint {
        schema: 2,
        sha256: Sha256::digest(&state).to_vec(),
        state,
    };
    checkpoint.encode_to_vec()
}

/// Scenario: a checkpoint that lost its end or one of whose bytes is another.
/// Guarantees: it is refused.
#[test]
fn bytes_that_are_not_whole_are_refused() {
    some_systems(3, |system, way| {
        let whole = in_the_midst(system, way, 12).checkpoint();
        let refused = |bytes: &[u8]| {
            let restored = Core::restore(config(system, 2), origin(), bytes, at(0, 0));
            assert!(restored.is_err());
        };
        for end in 0..whole.len() {
            refused(&whole[..end]);
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            refused(&flipped);
        }
    });
}

/// Scenario: bytes made to look whole: cut short anywhere, or one byte another, under a right digest.
/// Guarantees: no panic, at restoring or afterwards; what is restored all the same keeps every bound.
#[test]
fn forged_bytes_never_panic() {
    let (refused, accepted) = (AtomicU64::new(0), AtomicU64::new(0));
    let end = at(60_000_000_000, 0);
    some_systems(2, |system, way| {
        let checkpoint = in_the_midst(system, way, 12).checkpoint();
        let whole = Checkpoint::decode(&*checkpoint).unwrap().state;
        let attempt = |state: Vec<u8>| {
            let core = Core::restore(config(system, 3), origin(), &signed(state), at(0, 0));
            let Ok(core) = core else {
                refused.fetch_add(1, Ordering::Relaxed);
                return;
            };
            accepted.fetch_add(1, Ordering::Relaxed);
            assert!(core.gauges().pairing.bytes < 1 << 20);
            core.checkpoint();
            // A second that never comes takes its time: it is the time that is forged.
            if core.advance(at(0, 0)).len() < 100 {
                core.advance(end);
            }
        };
        for end in 0..whole.len() {
            attempt(whole[..end].to_vec());
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at * 5 % 8);
            attempt(flipped);
        }
    });
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    said::say(&format!(
        "broken checkpoints: {} refused, {} accepted",
        count(&refused),
        count(&accepted)
    ));
    assert!(count(&refused) > count(&accepted));
}

/// Guarantees: what was written under another schema or configuration is refused, and the error names both.
#[test]
fn another_schema_or_configuration_is_refused() {
    some_systems(1, |system, way| {
        let whole = in_the_midst(system, way, 12).checkpoint();
        let restore = |config: CoreConfig, bytes: &[u8]| {
            let core = Core::restore(config, origin(), bytes, at(0, 0));
            core.map(|_| ()).unwrap_err()
        };
        let mut next = Checkpoint::decode(&*whole).unwrap();
        next.schema = 3;
        let error = restore(config(system, 1), &next.encode_to_vec());
        assert_eq!(error, RestoreError::Schema { found: 3 });
        let other = CoreConfig {
            digest: "other".to_owned(),
            ..config(system, 1)
        };
        let expected = RestoreError::ConfigDigest {
            found: "test".to_owned(),
            expected: "other".to_owned(),
        };
        assert_eq!(restore(other, &whole), expected);
    });
}

/// Scenario: a checkpoint a month old.
/// Guarantees: what waited is decided, under the law; the month is not sealed second by second.
#[test]
fn a_checkpoint_of_long_ago_decides_what_waited_and_skips_the_rest() {
    some_systems(1, |system, way| {
        let core = in_the_midst(system, way, 6);
        let month = at(30 * 86_400 * 1_000_000_000, 0);
        let whole = core.checkpoint();
        let late = Core::restore(config(system, 1), origin(), &whole, month).unwrap();
        let slices = late.advance(month);
        assert!(slices.len() < 6 * 3600 + 100, "{} slices", slices.len());
        assert_eq!(slices.last().unwrap().end_unix_s, month.second());
        check_law(&bytes(slices));
    });
}

/// One part of the content, lost.
type Loss = (&'static str, fn(&mut CoreState));

fn traces(state: &mut CoreState) -> &mut [spangraph::proto::WaitingTrace] {
    &mut state.waiting.as_mut().unwrap().traces
}

fn each_trace(state: &mut CoreState, lose: impl FnMut(&mut spangraph::proto::WaitingTrace)) {
    traces(state).iter_mut().for_each(lose);
}

fn links(state: &mut CoreState) -> &mut Vec<spangraph::proto::WaitingLink> {
    &mut state.waiting.as_mut().unwrap().links
}

fn losses() -> Vec<Loss> {
    vec![
        ("sealed slices", |state| state.sealed.clear()),
        ("the open slice", |state| {
            let open = Slice {
                schema: 1,
                law: Slice::decode(&*state.open).unwrap().law,
                ..Slice::default()
            };
            state.open = open.encode_to_vec();
        }),
        ("the sequence", |state| state.sequence = 0),
        ("the tick", |state| state.tick -= 1),
        ("who waited", |state| state.pending = 0),
        ("decided spans that are held", |state| {
            let decided = 1 << 13;
            for trace in traces(state) {
                trace.spans.retain(|span| span.flags & decided == 0);
            }
        }),
        ("waiting spans", |state| {
            each_trace(state, |trace| trace.spans.clear());
        }),
        ("remembered spans", |state| {
            each_trace(state, |trace| trace.remembered.clear());
        }),
        ("decided service entries", |state| {
            state.waiting.as_mut().unwrap().groups.clear();
        }),
        ("when to look again", |state| {
            each_trace(state, |trace| trace.due.truncate(1));
        }),
        ("when to forget", |state| {
            // Not by the slices, which see nothing beyond its time: what is never looked at is never forgotten.
            each_trace(state, |trace| trace.expiring.clear());
        }),
        ("weights", |state| {
            for span in traces(state).iter_mut().flat_map(|t| &mut t.spans) {
                span.weight = 0;
            }
        }),
        ("weights of the remembered", |state| {
            for span in traces(state).iter_mut().flat_map(|t| &mut t.remembered) {
                span.weight = 0;
            }
        }),
        ("addresses", |state| {
            for span in traces(state).iter_mut().flat_map(|t| &mut t.spans) {
                span.address_ref = 0;
            }
        }),
        ("failing callees", |state| {
            let spans = traces(state).iter_mut().flat_map(|t| &mut t.spans);
            spans.map(|span| &mut span.charged).for_each(Vec::clear);
        }),
        ("all edges but the first", |state| {
            for span in traces(state).iter_mut().flat_map(|t| &mut t.spans) {
                span.charged.truncate(1);
            }
        }),
        ("links on their way", |state| {
            links(state).retain(|link| link.state != 0);
        }),
        ("open links", |state| {
            links(state).retain(|link| link.state != 1);
        }),
        ("settled links", |state| {
            links(state).retain(|link| link.state < 2);
        }),
        ("who was woken", |state| {
            for link in links(state) {
                link.woken = false;
            }
        }),
    ]
}

/// Scenario: a hand-over that loses one part of what is handed over, part after part.
/// Guarantees: each part is there because slices depend on it: without it the checkpoint is refused or some slice differs.
#[test]
fn every_part_of_a_checkpoint_is_needed() {
    let missed = std::sync::Mutex::new(losses());
    let test = |system: &System, way: &Way| {
        let mut missed = missed.lock().unwrap();
        if missed.is_empty() {
            return;
        }
        let whole = uninterrupted(system, way);
        let (requests, end_s) = requests(system, way);
        let half = requests.len() / 2;
        let state = state(&in_the_midst(system, way, half).checkpoint());
        missed.retain(|(_, lose)| {
            let mut less = state.clone();
            lose(&mut less);
            if less == state {
                return true;
            }
            let mut scratch = Scratch::default();
            let start = at(requests.get(half).map_or(0, |request| request.2), 0);
            let less = signed(less.encode_to_vec());
            let Ok(core) = Core::restore(config(system, 2), origin(), &less, start) else {
                return false;
            };
            for (body, encoding, ns) in &requests[half..] {
                core.apply(body, *encoding, &mut scratch, at(*ns, 0))
                    .unwrap();
            }
            bytes(core.advance(at(end_s * 1_000_000_000, 0))) == whole
        });
    };
    for (system, way) in [
        one_caller_of_many(),
        an_entry_decided_before_its_last_member(),
    ] {
        test(&system, &way);
    }
    some_systems(1_500, test);
    let missed: Vec<_> = missed.into_inner().unwrap().iter().map(|l| l.0).collect();
    assert_eq!(missed, Vec::<&str>::new());
}

/// A span of a small system: the first is everybody's parent.
fn sent(id: u64, service: &'static str, kind: SpanKind, second: u64, failed: bool) -> Sent {
    Sent {
        trace: (0, 1),
        id,
        parent: (id > 1).then_some(1),
        service: Some(service),
        kind,
        name: "op",
        failed,
        start_ms: 1_000 + id,
        end_ms: 1_020,
        flags: 0,
        sdk: true,
        facts: systems::Facts::default(),
        links: Vec::new(),
        tracestate: "",
        ratio: None,
        second,
    }
}

/// These spans, each in a request of its own.
fn one_by_one(spans: Vec<Sent>) -> (System, Way) {
    let waits = oracle::Waits {
        wait: 3,
        messaging_wait: 5,
        retain: 4,
    };
    let options = oracle::Options::new(waits);
    let way = Way {
        order: 0,
        shards: 2,
        spans_per_request: 1,
        json: false,
    };
    (System { spans, options }, way)
}

/// One failing caller, and callees that fail and do not, of two services, settled as they come.
fn one_caller_of_many() -> (System, Way) {
    let called = |id, service, second, failed| sent(id, service, SpanKind::Server, second, failed);
    one_by_one(vec![
        sent(1, "web", SpanKind::Client, 0, true),
        called(2, "shop", 1, true),
        called(3, "bank", 2, false),
        called(4, "shop", 3, true),
        called(5, "bank", 3, true),
        called(6, "bank", 3, true),
    ])
}

/// A service entered by a span that waits less long than its parent, and one more span of it after that was decided.
fn an_entry_decided_before_its_last_member() -> (System, Way) {
    let inside = |id, service, second| sent(id, service, SpanKind::Internal, second, false);
    one_by_one(vec![
        sent(1, "web", SpanKind::Producer, 0, false),
        inside(2, "shop", 0),
        inside(3, "web", 4),
        inside(4, "shop", 4),
        inside(5, "web", 5),
        inside(6, "web", 5),
    ])
}

/// Scenario: a caller whose callees, of two services, come around the hand-over, wherever that lies.
/// Guarantees: its failures and its duration are counted on each edge as if it had not been handed over.
#[test]
fn a_caller_is_handed_over_with_what_its_edges_were_charged() {
    let (system, way) = one_caller_of_many();
    let whole = uninterrupted(&system, &way);
    let (requests, end_s) = requests(&system, &way);
    for half in 0..=requests.len() {
        let checkpoint = in_the_midst(&system, &way, half).checkpoint();
        let now = at(requests[..half].last().map_or(0, |request| request.2), 0);
        let core = Core::restore(config(&system, 7), origin(), &checkpoint, now).unwrap();
        let mut scratch = Scratch::default();
        for (body, encoding, ns) in &requests[half..] {
            core.apply(body, *encoding, &mut scratch, at(*ns, 0))
                .unwrap();
        }
        let parts = bytes(core.advance(at(end_s * 1_000_000_000, 0)));
        assert_eq!(difference(&whole, &parts), None);
    }
}
