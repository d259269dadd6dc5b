//! Who polls is answered at the entrance where it can be. That way must not show.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, StatusCode};
use proptest::prelude::*;
use read_support::http::{bytes, header, with};
use read_support::live::Live;
use read_support::{START, shop};
use spangraph::api::{Api, ApiState, Bind, router};
use spangraph::clock::Timestamp;
use spangraph::net::{Bound, Limits, NetCounters, Slots, Stop, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

/// What pollers ask: windows of each kind of end, what needs more than a window, what is wrong.
const PATHS: [&str; 14] = [
    "/api/v1/topology",
    "/api/v1/topology?window=3s",
    "/api/v1/topology?window=3s&at=-2s",
    "/api/v1/topology.dot?theme=dark",
    "/api/v1/topology?format=svg",
    "/api/v1/topology?include=idle&window=2s",
    "/api/v1/topology?include=layout",
    "/api/v1/topology?widnow=3s",
    "/api/v1/nodes?format=csv",
    "/api/v1/edges?namespace=shop",
    "/api/v1/services",
    "/api/v1/diff?window=2s",
    "/livez",
    "/nowhere",
];

/// One request of a random life.
#[derive(Debug, Clone, Copy)]
struct Poll {
    /// Slices sealed before it.
    slices: u64,
    /// Quarter seconds by which the clock moves before it.
    quarters: u64,
    path: usize,
    /// Asks for a window that ends so many seconds after the beginning.
    at: Option<u64>,
    /// Of the validators given so far, counted from the last, that for its path or that for another.
    held: Option<usize>,
    head: bool,
    host: &'static str,
    dot: bool,
}

fn polls() -> impl Strategy<Value = Vec<Poll>> {
    let fields = (
        prop_oneof![4 => Just(0..1_u64), 1 => Just(1..13)].prop_flat_map(|slices| slices),
        0..3_u64,
        0..PATHS.len(),
        prop::option::weighted(0.2, 0..30_u64),
        prop::option::weighted(0.9, 0..2_usize),
        prop::bool::weighted(0.1),
        prop_oneof![9 => Just("localhost"), 1 => Just("evil.example")],
        prop::bool::weighted(0.1),
    );
    let poll = fields.prop_map(|(slices, quarters, path, at, held, head, host, dot)| Poll {
        slices,
        quarters,
        path,
        at,
        held,
        head,
        host,
        dot,
    });
    // The same few again and again, as pollers do.
    let some = (prop::collection::vec(poll, 1..6), 4..12_usize);
    some.prop_map(|(polls, rounds)| polls.repeat(rounds))
}

/// A daemon whose clock the test moves.
fn state_at(live: &Live, clock: &Arc<AtomicU64>) -> ApiState {
    let clock = Arc::clone(clock);
    ApiState {
        now: Arc::new(move || Timestamp::from_unix_ns(clock.load(Ordering::SeqCst))),
        bind: Bind::Loopback,
        ..live.state()
    }
}

/// Status, fields in their order, body. The length of no body is left out, as on the wire of HTTP/1.
type Told = (StatusCode, Vec<(String, String)>, Vec<u8>);

async fn told(app: &Api, poll: &Poll, path: &str, etag: Option<&str>) -> Told {
    let mut fields = vec![("host", poll.host)];
    fields.extend(etag.map(|etag| ("if-none-match", etag)));
    if poll.dot {
        fields.push(("accept", "text/vnd.graphviz, */*;q=0.1"));
    }
    let mut request = with(path, &fields);
    if poll.head {
        *request.method_mut() = Method::HEAD;
    }
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let fields = response.headers().iter();
    let fields = fields.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let told =
        fields.filter(|(name, _)| status != StatusCode::NOT_MODIFIED || name != "content-length");
    (status, told.collect(), bytes(response).await)
}

/// Every request of `polls` to a daemon that remembers what was asked before, and to one that was just started.
async fn live_through(polls: Vec<Poll>) {
    let mut live = Live::new();
    live.second(&[("shop/web", "shop/cart", 3, 1)]);
    let clock = Arc::new(AtomicU64::new((START + 1) * 1_000_000_000));
    let app = router(state_at(&live, &clock));
    let mut etags: Vec<String> = Vec::new();
    for poll in &polls {
        for _ in 0..poll.slices {
            live.second(&[("shop/web", "shop/cart", live.next % 3, 0)]);
        }
        let moved = poll.quarters * 250_000_000;
        let now = clock.load(Ordering::SeqCst).max(live.next * 1_000_000_000);
        clock.store(now + moved, Ordering::SeqCst);
        let mut path = PATHS[poll.path].to_owned();
        if let Some(at) = poll.at.filter(|_| !path.contains("at=")) {
            let joint = if path.contains('?') { '&' } else { '?' };
            path = format!("{path}{joint}at={}", START + at);
        }
        let etag = poll.held.and_then(|back| etags.iter().rev().nth(back));
        let etag = etag.map(String::as_str);
        let got = told(&app, poll, &path, etag).await;
        let fresh = router(state_at(&live, &clock));
        let expected = told(&fresh, poll, &path, etag).await;
        assert_eq!(got, expected, "{path} {poll:?}");
        let given = got.1.iter().find(|(name, _)| name == "etag");
        etags.extend(given.map(|(_, etag)| etag.clone()));
    }
    counts_are_right(&app, polls.len()).await;
}

/// However a request was answered, it was counted once.
async fn counts_are_right(app: &Api, requests: usize) {
    let metrics = with("/metrics", &[("host", "localhost")]);
    let metrics = app.clone().oneshot(metrics).await.unwrap();
    let text = String::from_utf8(bytes(metrics).await).unwrap();
    let counted = text
        .lines()
        .filter(|line| line.starts_with("spangraph_api_requests_total{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap());
    assert_eq!(counted.sum::<usize>(), requests);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Guarantees: status, every field in its order, and body are those that a daemon gives which was asked nothing yet,
    /// whatever was asked before, whatever was sealed, whoever asks.
    #[test]
    fn the_short_way_answers_as_the_long_one(polls in polls()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live_through(polls));
    }
}

/// Scenario: the same question, asked again before and after a slice is sealed.
/// Guarantees: the second is not modified, and says so until the slice comes; not a moment longer.
#[tokio::test]
async fn what_is_known_ends_with_the_next_slice() {
    let mut live = Live::new();
    live.push(shop());
    let app = live.app();
    let ask = async |etag: &str| {
        let request = with("/api/v1/topology?window=1s", &[("if-none-match", etag)]);
        let response = app.clone().oneshot(request).await.unwrap();
        (response.status(), header(&response, "etag").to_owned())
    };
    let (_, first) = ask("").await;
    for _ in 0..2 {
        assert_eq!(ask(&first).await, (StatusCode::NOT_MODIFIED, first.clone()));
    }
    live.push(shop());
    let (status, second) = ask(&first).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(second, first);
    assert_eq!(ask(&second).await.0, StatusCode::NOT_MODIFIED);
    assert_eq!(ask(&first).await.0, StatusCode::OK);
}

/// Guarantees: over a socket a 304 is the same bytes the first time, which goes the long way, and the second.
#[tokio::test]
async fn both_ways_are_the_same_bytes() {
    let mut live = Live::new();
    live.push(shop());
    let listener = Bound::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let at = listener.address();
    let (_stop, shutdown) = Stop::new();
    let (limits, counters) = (
        Limits::new(Slots::new(64)),
        Arc::new(NetCounters::new("api")),
    );
    tokio::spawn(serve(listener, live.app(), limits, counters, shutdown));
    let ask = async |fields: &str| {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let request = format!(
            "GET /api/v1/topology HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let lines = answer
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with("date: "));
        lines.collect::<String>()
    };
    let long = ask("If-None-Match: *\r\n").await;
    assert!(
        long.starts_with(
            "HTTP/1.1 304 Not Modified\r\nvary: Accept, Accept-Encoding\r\netag: W/\""
        ),
        "{long}"
    );
    for fields in [
        "If-None-Match: *\r\n",
        "if-none-match: \"x\"\r\nIF-NONE-MATCH: *\r\n",
    ] {
        assert_eq!(ask(fields).await, long);
    }
}
