//! `spangraph replay` as it is typed: what is read, what is printed, what is said, and how it ends.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]

#[path = "common/otlp_gen.rs"]
mod otlp_gen;
#[path = "common/stored.rs"]
mod stored;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otlp_gen::{Generator, text};
use prost::Message as _;
use serde_json::Value;
use stored::{STORED, Stored, be32, json, printed, replay, said};

/// Unix second in which the tests' inputs begin.
const BEGIN_S: u64 = 1_795_395_600;

/// A directory of its own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("spangraph-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn replay_files(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spangraph"));
    command.env_clear().arg("replay").args(arguments);
    command.output().unwrap()
}

fn body(output: &Output) -> Value {
    serde_json::from_str(printed(output)).unwrap()
}

/// One call of `web` to `shop` that ends at this time; `number` makes its ids.
fn call(number: u8, end_ns: u64) -> ExportTraceServiceRequest {
    let span = |id: u8, parent: Option<u8>, kind| Span {
        trace_id: vec![number; 16],
        span_id: vec![id; 8],
        parent_span_id: parent.map_or_else(Vec::new, |parent| vec![parent; 8]),
        kind,
        flags: 0x101,
        start_time_unix_nano: end_ns.saturating_sub(5_000_000),
        end_time_unix_nano: end_ns,
        ..Span::default()
    };
    let service = |name: &str, span| ResourceSpans {
        resource: Some(Resource {
            attributes: vec![text("service.name", name)],
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            spans: vec![span],
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    };
    let (client, server) = (span(1, None, 3), span(2, Some(1), 2));
    ExportTraceServiceRequest {
        resource_spans: vec![service("web", client), service("shop", server)],
    }
}

fn at_s(second: u64) -> u64 {
    (BEGIN_S + second) * 1_000_000_000
}

/// So many calls, a second apart.
fn calls(count: u8) -> Vec<ExportTraceServiceRequest> {
    (1..=count).map(|n| call(n, at_s(n.into()))).collect()
}

fn edge_calls(body: &Value) -> Vec<u64> {
    let edges = body["edges"].as_array().unwrap();
    edges.iter().map(|e| e["calls"].as_u64().unwrap()).collect()
}

/// Scenario: 24 requests of 512 spans from forty services, in each way they are stored, in one file, in three, and on
/// standard input, twice each.
/// Guarantees: the same bytes every time, and the law in them: nothing pending, every span with one outcome.
#[test]
fn the_same_requests_print_the_same_bytes_however_they_come() {
    let dir = Scratch::new("same-bytes");
    let mut generator = Generator::new(3);
    let requests: Vec<_> = (0..24).map(|_| generator.next_request()).collect();
    let first = replay(&[], &Stored::Json.file(&requests));
    let sums = &body(&first)["law"];
    assert_eq!(sums["accepted"], 24 * 512);
    assert_eq!(sums["pending_after"], 0);
    let outcomes = sums["outcomes"].as_object().unwrap().values();
    assert_eq!(outcomes.map(|o| o.as_u64().unwrap()).sum::<u64>(), 24 * 512);
    for stored in STORED {
        let output = replay(&[], &stored.file(&requests));
        assert_eq!(printed(&output), printed(&first), "{stored:?}");
        let parts: Vec<String> = requests
            .chunks(9)
            .enumerate()
            .map(|(at, part)| dir.file(&format!("{stored:?}-{at}"), &stored.file(part)))
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let output = replay_files(&parts);
        assert_eq!(printed(&output), printed(&first), "{stored:?} in parts");
        assert!(said(&output).contains("read 24 requests from 3 inputs, 0 bad"));
    }
}

/// Scenario: lines that are no request between those that are; blank lines, a line of another signal, a span without
/// a trace id.
/// Guarantees: each bad line is named by the number an editor shows, counted, and costs nothing else.
#[test]
fn a_bad_line_is_named_counted_and_left_out() {
    let mut lines: Vec<String> = calls(2).iter().map(|call| json(call).to_string()).collect();
    lines.insert(1, "nonsense".to_owned());
    lines.insert(2, "\r".to_owned());
    lines.push(r#"{"resourceMetrics":[{}]}"#.to_owned());
    lines.push(r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"01"}]}]}]}"#.to_owned());
    lines.push(r#"{"resourceSpans":["#.to_owned());
    let output = replay(&[], lines.join("\n").as_bytes());
    let body = body(&output);
    assert_eq!(edge_calls(&body), [2]);
    assert_eq!(body["law"]["decoded"], 5);
    assert_eq!(body["law"]["rejected"]["trace_id"], 1);
    let said: Vec<&str> = said(&output).lines().collect();
    assert_eq!(
        said,
        [
            "spangraph: standard input: line 2: expected an object at byte 0",
            "spangraph: standard input: line 7: expected a value at byte 18",
            "spangraph: read 4 requests from 1 input, 2 bad; 5 spans = 4 accepted + 1 rejected (trace_id)",
            "spangraph: 4 accepted = 4 paired; 2 calls = 2 paired",
        ]
    );
}

/// Scenario: frames that are no request, one too long for memory, and one cut off, between those that are.
/// Guarantees: as for lines; what follows a bad frame is found by its length.
#[test]
fn a_bad_frame_is_named_counted_and_left_out() {
    let frames: Vec<Vec<u8>> = calls(2).iter().map(|c| be32(&c.encode_to_vec())).collect();
    let mut too_long = (65_u32 << 20).to_be_bytes().to_vec();
    too_long.resize(4 + (65 << 20), 0);
    let file = [
        &frames[0][..],
        &be32(b"\x0a\xff"),
        &too_long,
        &be32(b""),
        &frames[1],
        &frames[0][..20],
    ]
    .concat();
    let output = replay(&[], &file);
    assert_eq!(edge_calls(&body(&output)), [2]);
    let said = said(&output);
    assert!(said.contains("frame 2: "), "{said}");
    assert!(said.contains("frame 3: longer than 64 MiB"), "{said}");
    assert!(said.contains("frame 6: cut off by the end"), "{said}");
    assert!(
        said.contains("read 3 requests from 1 input, 3 bad"),
        "{said}"
    );

    let broken = [&Stored::Varint.file(&calls(1))[..], &[0xff; 12]].concat();
    let output = replay(&[], &broken);
    assert_eq!(edge_calls(&body(&output)), [1]);
    assert!(stored::said(&output).contains("frame 2: its length makes no sense"));
}

/// Guarantees: a line longer than 64 MiB is bad, is not held, and ends where it ends.
#[test]
fn a_line_too_long_is_left_out() {
    let mut file = Stored::Json.file(&calls(1));
    file.extend(std::iter::repeat_n(b' ', 65 << 20));
    file.push(b'\n');
    file.extend(Stored::Json.file(&[call(9, at_s(9))]));
    let output = replay(&[], &file);
    assert_eq!(edge_calls(&body(&output)), [2]);
    assert!(said(&output).contains("line 2: longer than 64 MiB"));
}

#[test]
fn strict_stops_at_the_first_bad_one() {
    let lines = [&Stored::Json.file(&calls(1))[..], b"{\n{\n"].concat();
    let output = replay(&["--strict"], &lines);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    let said = said(&output);
    assert!(said.contains("line 2: "), "{said}");
    assert!(!said.contains("line 3: "), "{said}");
    assert!(said.contains("--strict"), "{said}");
    let good = replay(&["--strict"], &Stored::Json.file(&calls(1)));
    assert_eq!(edge_calls(&body(&good)), [1]);
}

#[test]
fn a_flood_of_bad_lines_is_counted_and_not_all_named() {
    let lines = [&b"no\n".repeat(5_000)[..], &Stored::Json.file(&calls(1))].concat();
    let output = replay(&[], &lines);
    let said = said(&output);
    assert!(said.lines().count() < 110);
    assert!(said.contains(", 5000 bad"), "{said}");
}

/// Scenario: two calls three days apart, and a third two hours later that repeats the second.
/// Guarantees: all of it is in the graph, beyond what the daemon's history holds; what was long forgotten is no
/// duplicate; rates leave the pauses out; and the pauses take no time to speak of.
#[test]
fn days_between_requests_cost_nothing_and_do_not_count() {
    let day = 86_400;
    let mut requests = vec![call(1, at_s(0)); 9];
    requests.extend(vec![call(2, at_s(3 * day)); 17]);
    requests.extend(vec![call(2, at_s(3 * day + 7_200)); 17]);
    let body = body(&replay(&[], &Stored::Be32.file(&requests)));
    assert_eq!(edge_calls(&body), [3]);
    assert_eq!(body["law"]["outcomes"]["duplicate"], 2 * (8 + 16 + 16));
    assert_eq!(body["window"]["covered_s"], 3);
    assert_eq!(body["window"]["start"], "2026-11-23T01:00:00Z");
    assert_eq!(body["window"]["end"], "2026-11-26T03:00:11Z");
    assert_eq!(body["edges"][0]["rate_per_s"], 1.0);
}

/// Scenario: pauses around the length up to which they are sealed second by second.
/// Guarantees: the same calls and outcomes on either side; only what counts as recorded differs.
#[test]
fn a_long_pause_differs_from_a_short_one_only_in_what_it_covers() {
    let around = |pause_s: u64| {
        let mut requests = vec![call(1, at_s(0)); 20];
        // Each arrives again after the pause: too late for a duplicate, early enough for a pair.
        requests.extend(vec![call(1, at_s(pause_s)); 20]);
        body(&replay(&[], &Stored::Be32.file(&requests)))
    };
    let (short, long) = (around(600), around(601));
    assert_eq!(short["law"], long["law"]);
    assert_eq!(edge_calls(&short), edge_calls(&long));
    assert_eq!(short["window"]["covered_s"], 601);
    assert_eq!(long["window"]["covered_s"], 2);
}

/// Scenario: every third request comes from a host whose clock stands in 1970 or in 2554.
/// Guarantees: time runs as the others say; every pair is found.
#[test]
fn broken_clocks_do_not_move_time() {
    let requests: Vec<_> = (1..=60)
        .map(|n| match n % 6 {
            1 => call(n, 0),
            4 => call(n, u64::MAX),
            _ => call(n, at_s(n.into())),
        })
        .collect();
    let body = body(&replay(&[], &Stored::Be32.file(&requests)));
    assert_eq!(edge_calls(&body), [60]);
    assert_eq!(body["window"]["start"], "2026-11-23T01:00:02Z");
    assert_eq!(body["window"]["covered_s"], 59);
    for end_ns in [0, u64::MAX] {
        let all = replay(&[], &Stored::Be32.file(&vec![call(1, end_ns); 3]));
        assert_eq!(edge_calls(&self::body(&all)), [1]);
    }
}

/// Scenario: half a minute of spans in one request.
/// Guarantees: rates are per second of what was recorded, not of the one second of arrival.
#[test]
fn rates_are_those_of_the_time_that_was_recorded() {
    let mut one = ExportTraceServiceRequest::default();
    for call in calls(30) {
        one.resource_spans.extend(call.resource_spans);
    }
    let body = body(&replay(&[], &Stored::Json.file(&[one])));
    assert_eq!(body["window"]["covered_s"], 30);
    assert_eq!(body["edges"][0]["rate_per_s"], 1.0);
}

/// Guarantees: the filters are the API's, and so are the words for what is wrong with them.
#[test]
fn the_parameters_are_those_of_the_api() {
    let file = Stored::Json.file(&calls(3));
    let with = |query: &str| replay(&["--query", query], &file);
    assert_eq!(edge_calls(&body(&with("min_calls=4"))), [0; 0]);
    assert_eq!(body(&with("min_calls=4"))["query"]["min_calls"], 4);
    assert_eq!(edge_calls(&body(&with("focus=web&down=1"))), [3]);
    let dot = replay(&["--format=dot", "--query=label=calls&rankdir=TB"], &file);
    assert!(printed(&dot).starts_with("digraph spangraph {"));
    assert_eq!(
        printed(&dot),
        printed(&with("format=dot&label=calls&rankdir=TB"))
    );
    let nodes = replay(&["--view=nodes", "--format=csv"], &file);
    assert!(printed(&nodes).starts_with("id,name,"));
    assert_eq!(
        printed(&nodes),
        printed(&replay(&["--view=nodes", "--query=format=csv"], &file))
    );
    let hidden = "spangraph: hidden by filters: 2 nodes, 1 edge, 3 calls\n";
    assert!(said(&with("format=csv&min_calls=4")).ends_with(hidden));
    assert!(!said(&nodes).contains("hidden"));
    let unshown = replay(&["--view=edges", "--format=dot"], &file);
    assert_eq!(unshown.status.code(), Some(2));
    assert!(said(&unshown).contains("must be json, csv or grafana"));
    for (query, code, why) in [
        ("fokus=web", 2, "unknown parameter"),
        ("top=none", 2, "must be a whole number"),
        ("window=5m", 2, "the whole input is the window"),
        ("at=now", 2, "the whole input is the window"),
        ("format=png", 2, "must be json, dot, svg, mermaid, "),
        ("theme=dark", 2, "only for dot, svg, mermaid or plantuml"),
        ("focus=nobody", 1, "node `nobody` is not in the window"),
    ] {
        let output = with(query);
        assert_eq!(output.status.code(), Some(code), "{query}");
        assert_eq!(output.stdout, b"", "{query}");
        assert!(said(&output).contains(why), "{query}: {}", said(&output));
    }
    let twice = replay(&["--format=dot", "--query=format=dot"], &file);
    assert!(said(&twice).contains("given more than once"));
}

/// Guarantees: keys of the core and of health matter; a key that there is not is an error, as for `serve`.
#[test]
fn settings_are_those_of_the_daemon() {
    let file = Stored::Json.file(&calls(3));
    let capped = body(&replay(&["--set=graph.max_nodes=1"], &file));
    assert_eq!(capped["edges"][0]["server"], "overflow:overflow");
    let configured = Scratch::new("settings");
    let config = configured.file("spangraph.yaml", b"pairing: {match_low64: true}\n");
    let config = replay(&["--config", &config], &file);
    assert_eq!(edge_calls(&body(&config)), [3]);
    let unknown = replay(&["--set=graph.max_edgez=1"], &file);
    assert_eq!(unknown.status.code(), Some(78));
}

#[test]
fn what_cannot_be_read_is_said_before_anything_is() {
    let dir = Scratch::new("unreadable");
    let good = dir.file("good.jsonl", &Stored::Json.file(&calls(1)));
    let gzip = dir.file("traces.jsonl.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    let noise = dir.file("noise", &[7, 0xff, 1, 2, 3, 0, 0xfe, 9]);
    let missing = dir.0.join("missing").to_str().unwrap().to_owned();
    let folder = dir.0.to_str().unwrap().to_owned();
    for (path, why) in [
        (&missing, "cannot read"),
        (&folder, "directory"),
        (&gzip, "gzip -dc"),
        (&noise, "say --framing"),
    ] {
        let output = replay_files(&[&good, path]);
        assert_eq!(output.status.code(), Some(1), "{path}");
        assert_eq!(output.stdout, b"");
        let said = said(&output);
        assert!(said.contains(why) && said.contains(path.as_str()), "{said}");
    }
    for empty in [&b""[..], b"\n\n", b"{}\n", br#"{"resourceMetrics":[]}"#] {
        let output = replay(&[], empty);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("no span was accepted"));
    }
    let forced = replay(&["--framing=be32"], &Stored::Json.file(&calls(1)));
    assert!(said(&forced).contains("frame 1: longer than 64 MiB"));
}

/// Scenario: frames as the Collector's file exporter writes them with `compression: zstd`, of protobuf and of JSON.
/// Guarantees: they are read like the others; a frame that inflates to too much or not at all is bad.
#[cfg(feature = "zstd")]
#[test]
fn frames_compressed_one_by_one_are_read() {
    let zstd = |bytes: &[u8]| be32(&zstd::bulk::compress(bytes, 3).unwrap());
    let calls = calls(3);
    let file = [
        zstd(&calls[0].encode_to_vec()),
        zstd(json(&calls[1]).to_string().as_bytes()),
        be32(json(&calls[2]).to_string().as_bytes()),
        zstd(&vec![0; 65 << 20]),
        be32(&[0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]),
    ]
    .concat();
    let output = replay(&[], &file);
    assert_eq!(edge_calls(&body(&output)), [3]);
    let said = said(&output);
    assert!(said.contains("frame 4: longer than 64 MiB"), "{said}");
    assert!(said.contains("frame 5: zstd: "), "{said}");
}

/// Guarantees: the example in the tree draws what its picture in the tree shows. `UPDATE_GOLDEN=1` renews it.
#[test]
fn the_example_draws_its_picture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("tests/data/traces.jsonl");
    let output = replay_files(&[example.to_str().unwrap(), "--strict", "--format=dot"]);
    let golden = root.join("tests/golden/replay.dot");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, printed(&output)).unwrap();
    }
    assert_eq!(printed(&output), std::fs::read_to_string(&golden).unwrap());
}
