//! The JSON reader: against the protobuf walk on the same requests, and on each thing that exporters are known to send.

#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "common/otlp_oracle.rs"]
mod otlp_oracle;
#[path = "common/otlp_random.rs"]
mod otlp_random;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_oracle::{walked, walked_json};
use otlp_random::Choices;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Map, Value, json};
use spangraph::otlp::{Counts, Malformed, ResourceKeys, Scratch, walk_json};
use spangraph::span::SpanKind;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Scenario: one logical request in both encodings; the JSON with members in any order, unknown and null members,
    /// numbers quoted or bare, hex of either case, escaped strings.
    /// Guarantees: identical spans, resources and counts.
    #[test]
    fn both_encodings_yield_the_same_spans(bytes in vec(any::<u8>(), 0..2500), noise in vec(any::<u8>(), 0..1500)) {
        let request = Choices(&bytes).request();
        let json = Writer(Choices(&noise)).request(&request);
        let mut scratch = Scratch::default();
        let expected = walked(&request.encode_to_vec(), &mut scratch);
        prop_assert_eq!(walked_json(json.as_bytes(), &mut scratch), expected);
    }

    /// Scenario: the same documents with bytes changed or cut.
    /// Guarantees: no panic, and what is accepted is a JSON document for others too (broken UTF-8 aside).
    #[test]
    fn broken_documents_do_no_harm(
        bytes in vec(any::<u8>(), 0..800),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let request = Choices(&bytes).request();
        let mut json = Writer(Choices(&[])).request(&request).into_bytes();
        for (at, byte) in changes {
            let at = at.index(json.len());
            json[at] = byte;
        }
        if cuts {
            json.truncate(cut.index(json.len()));
        }
        let accepted = walked_json(&json, &mut Scratch::default()).is_ok();
        if let Ok(text) = std::str::from_utf8(&json) {
            let others: Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
            prop_assert!(!accepted || others.is_ok(), "{text}");
        }
    }
}

/// Writes OTLP/JSON with every liberty the encoding gives.
struct Writer<'a>(Choices<'a>);

impl Writer<'_> {
    fn request(&mut self, request: &ExportTraceServiceRequest) -> String {
        let spans = request.resource_spans.iter().map(|spans| {
            let scopes = spans.scope_spans.iter().map(|scope| {
                let spans = scope.spans.iter().map(|span| self.span(span)).collect();
                self.object(vec![
                    ("spans", Value::Array(spans)),
                    ("scope", json!({"name": "x"})),
                ])
            });
            let mut members = vec![("scopeSpans", scopes.collect())];
            if let Some(resource) = &spans.resource {
                let attributes = self.attributes(&resource.attributes);
                members.push(("resource", self.object(vec![("attributes", attributes)])));
            }
            self.object(members)
        });
        let spans = spans.collect();
        let document = self.object(vec![("resourceSpans", spans)]);
        let text = if self.0.one_in(2) {
            document.to_string()
        } else {
            serde_json::to_string_pretty(&document).unwrap()
        };
        if self.0.one_in(4) {
            format!("\u{feff}{text}\n ")
        } else {
            text.replace("shop", "sh\\u006fp")
        }
    }

    fn span(&mut self, span: &Span) -> Value {
        let links = span.links.iter().map(|link| {
            let flags = self.number(link.flags.into());
            self.object(vec![
                ("traceId", hex(&link.trace_id)),
                ("spanId", hex(&link.span_id)),
                ("flags", flags),
            ])
        });
        let links = links.collect();
        let mut members = vec![
            ("traceId", hex(&span.trace_id)),
            ("spanId", hex(&span.span_id)),
            ("parentSpanId", hex(&span.parent_span_id)),
            ("traceState", json!(span.trace_state)),
            ("name", json!(span.name)),
            ("kind", self.number(span.kind.into())),
            ("flags", self.number(span.flags.into())),
            (
                "startTimeUnixNano",
                self.number(span.start_time_unix_nano.into()),
            ),
            (
                "endTimeUnixNano",
                self.number(span.end_time_unix_nano.into()),
            ),
            ("attributes", self.attributes(&span.attributes)),
            ("links", links),
            (
                "events",
                json!([{"name": "exception", "attributes": [{"key": 5}]}]),
            ),
        ];
        if let Some(status) = &span.status {
            let code = self.number(status.code.into());
            members.push((
                "status",
                self.object(vec![("code", code), ("message", json!(status.message))]),
            ));
        }
        self.object(members)
    }

    fn attributes(&mut self, attributes: &[KeyValue]) -> Value {
        let attributes = attributes.iter().map(|attribute| {
            let mut members = vec![("key", json!(attribute.key))];
            if let Some(value) = &attribute.value {
                members.push(("value", self.value(value)));
            }
            self.object(members)
        });
        attributes.collect()
    }

    fn value(&mut self, value: &AnyValue) -> Value {
        let members = match &value.value {
            Some(Any::StringValue(text)) => vec![("stringValue", json!(text))],
            Some(Any::BoolValue(flag)) => vec![("boolValue", json!(flag))],
            Some(Any::IntValue(number)) => vec![("intValue", self.number((*number).into()))],
            Some(Any::DoubleValue(_)) => vec![("doubleValue", json!("NaN"))],
            Some(Any::ArrayValue(_)) => {
                vec![("arrayValue", json!({"values": [{"stringValue": 1}]}))]
            }
            Some(Any::KvlistValue(_)) => vec![("kvlistValue", json!({}))],
            Some(Any::BytesValue(_)) => vec![("bytesValue", json!("_-8="))],
            Some(Any::StringValueStrindex(_)) | None => vec![],
        };
        self.object(members)
    }

    fn number(&mut self, number: i128) -> Value {
        match (self.0.below(3), u64::try_from(number)) {
            (0, Ok(number)) => json!(number),
            (0, Err(_)) => json!(i64::try_from(number).unwrap()),
            (1, _) => json!(format!("{number}.0")),
            _ => json!(number.to_string()),
        }
    }

    fn object(&mut self, mut members: Vec<(&str, Value)>) -> Value {
        for extra in [
            ("unknown", json!({"a": [1, {"b": null}]})),
            ("start_time_unix_nano", json!("x")),
            ("nothing", Value::Null),
        ] {
            if self.0.one_in(8) {
                members.push(extra);
            }
        }
        for index in (1..members.len()).rev() {
            members.swap(index, self.0.below(index + 1));
        }
        let members = members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Value::Object(members.collect::<Map<_, _>>())
    }
}

fn hex(id: &[u8]) -> Value {
    id.iter()
        .enumerate()
        .map(|(at, byte)| {
            if at % 2 == 0 {
                format!("{byte:02x}")
            } else {
                format!("{byte:02X}")
            }
        })
        .collect::<String>()
        .into()
}

fn counts(json: &str) -> Result<Counts, Malformed> {
    walk_json(
        json.as_bytes(),
        &ResourceKeys::default(),
        &mut Scratch::default(),
        &mut |_| {},
    )
}

/// A document of one span with these members, after valid ids.
fn document(members: &str) -> String {
    let ids = r#""traceId":"0123456789abcdef0123456789ABCDEF","spanId":"00f067aa0ba902b7""#;
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{ids}{members}}}]}}]}}]}}"#)
}

/// What `read` makes of the one span with these members.
fn span<T>(members: &str, read: impl Fn(&spangraph::span::SpanRef<'_>) -> T) -> T {
    let mut found = Vec::new();
    let json = document(members);
    walk_json(
        json.as_bytes(),
        &ResourceKeys::default(),
        &mut Scratch::default(),
        &mut |chunk| {
            found.extend(chunk.spans().map(|span| read(&span)));
        },
    )
    .expect(members);
    assert_eq!(found.len(), 1, "{members}");
    found.remove(0)
}

fn peer(value: &str) -> Option<String> {
    let members = format!(r#","kind":3,"attributes":[{{"key":"peer.service","value":{value}}}]"#);
    span(&members, |span| span.attrs.logical_peer.map(str::to_owned))
}

/// Rows J1, J2, J8. Guarantees: hex of any case is an id; anything else rejects the span and nothing more.
#[test]
fn ids_are_hex_of_any_case() {
    assert_eq!(span("", |span| span.trace.bytes()[15]), 0xef);
    let long = r#","traceId":"ASNFZ4mrze8BI0VniavN7w==""#;
    for (members, rejected) in [
        (long, [1, 0, 0]),
        (r#","traceId":"0123456789abcdef0123456789abcde""#, [1, 0, 0]),
        (
            r#","traceId":"0123456789abcdef0123456789abcdef0""#,
            [1, 0, 0],
        ),
        (
            r#","traceId":"zz23456789abcdef0123456789abcdef""#,
            [1, 0, 0],
        ),
        (r#","traceId":null"#, [1, 0, 0]),
        (r#","spanId":"0000000000000000""#, [0, 1, 0]),
        (r#","parentSpanId":"xyz""#, [0, 0, 1]),
        (r#","parentSpanId":"""#, [0, 0, 0]),
        (r#","parentSpanId":null"#, [0, 0, 0]),
        (r#","parentSpanId":"0000000000000000""#, [0, 0, 0]),
    ] {
        let expected = Counts {
            decoded: 1,
            rejected,
            enum_names: 0,
        };
        assert_eq!(counts(&document(members)), Ok(expected), "{members}");
    }
}

/// Rows J4 to J7. Guarantees: a kind is a number, bare or quoted, or a name, and names are counted.
#[test]
fn enums_are_numbers_or_names() {
    for (kind, expected, names) in [
        ("2", SpanKind::Server, 0),
        (r#""2""#, SpanKind::Server, 0),
        (r#""SPAN_KIND_SERVER""#, SpanKind::Server, 1),
        (r#""SPAN_KIND_CONSUMER""#, SpanKind::Consumer, 1),
        (r#""SPAN_KIND_OF_MAGIC""#, SpanKind::Unspecified, 1),
        ("99", SpanKind::Unspecified, 0),
        ("-1", SpanKind::Unspecified, 0),
        ("null", SpanKind::Unspecified, 0),
    ] {
        let members = format!(r#","kind":{kind}"#);
        assert_eq!(span(&members, |span| span.kind), expected, "{kind}");
        assert_eq!(counts(&document(&members)).unwrap().enum_names, names);
    }
    assert!(span(r#","status":{"code":"STATUS_CODE_ERROR"}"#, |span| {
        span.failed
    }));
    assert!(span(r#","status":{"message":"x","code":2}"#, |span| span.failed));
    assert!(counts(&document(r#","kind":[]"#)).is_err());
    assert!(counts(&document(r#","kind":1.5"#)).is_err());
}

/// Rows J3, J9, J10, J15. Guarantees: unknown members are ignored whatever they hold, `null` is absence, and the last
/// of two equal names counts.
#[test]
fn unknown_null_and_repeated_members() {
    let time = |members: &str| span(members, |span| span.start_ns);
    assert_eq!(
        time(r#","startTimeUnixNano":"7","start_time_unix_nano":"9","x":{"y":[null,{"z":1e5}]}"#),
        7
    );
    assert_eq!(time(r#","startTimeUnixNano":"7","startTimeUnixNano":8"#), 8);
    assert_eq!(
        time(r#","startTimeUnixNano":"7","startTimeUnixNano":null"#),
        0
    );
    assert_eq!(
        time(
            r#","attributes":null,"links":null,"status":null,"events":null,"name":null,"flags":null"#
        ),
        0
    );
    let twice = r#","kind":3,"attributes":[{"key":"peer.service","value":{"stringValue":"a"}}],"attributes":[]"#;
    assert!(span(twice, |span| span.attrs.logical_peer.is_none()));
    let escaped = r#","\u006bind":3"#;
    assert_eq!(span(escaped, |span| span.kind), SpanKind::Client);
    for empty in [
        "{}",
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":[{},null,{"scopeSpans":[{}]}]}"#,
    ] {
        assert_eq!(counts(empty), Ok(Counts::default()), "{empty}");
    }
}

/// Rows J11, J12. Guarantees: a time is a whole number in any notation, exactly; nothing is rounded.
#[test]
fn times_are_whole_numbers_in_any_notation() {
    let time = |value: &str| {
        span(&format!(r#","endTimeUnixNano":{value}"#), |span| {
            span.end_ns
        })
    };
    for form in [
        r#""1544712660300000000""#,
        "1544712660300000000",
        "1.5447126603e18",
        r#""15447126603E8""#,
        "1544712660300000000.00",
    ] {
        assert_eq!(time(form), 1_544_712_660_300_000_000, "{form}");
    }
    assert_eq!(time("18446744073709551615"), u64::MAX);
    for bad in [
        "-1",
        "18446744073709551616",
        "0.5",
        "1e-3",
        r#""soon""#,
        r#""""#,
        "true",
        "{}",
    ] {
        assert!(
            counts(&document(&format!(r#","endTimeUnixNano":{bad}"#))).is_err(),
            "{bad}"
        );
    }
}

/// Rows J13, J14, J16, J17. Guarantees: values of every form are accepted, and those of use are used.
#[test]
fn values_of_every_form() {
    let port = |value: &str| {
        let members = format!(
            r#","kind":3,"attributes":[{{"key":"server.port","value":{{"intValue":{value}}}}}]"#
        );
        span(&members, |span| span.attrs.port)
    };
    assert_eq!(
        (port("8080"), port(r#""8080""#), port("null")),
        (Some(8080), Some(8080), None)
    );
    assert_eq!(
        peer(r#"{"stringValue":"a\u00fc\ud83d\ude00\n\ud800\/"}"#).as_deref(),
        Some("aü😀\n\u{fffd}/")
    );
    assert_eq!(
        peer(r#"{"stringValue":"a","intValue":null}"#).as_deref(),
        Some("a")
    );
    assert_eq!(
        peer(r#"{"intValue":5,"stringValue":"a"}"#).as_deref(),
        Some("a")
    );
    for none in [
        "{}",
        "null",
        r#"{"stringValue":null}"#,
        r#"{"doubleValue":"NaN"}"#,
        r#"{"doubleValue":"-Infinity"}"#,
        r#"{"doubleValue":1e400}"#,
        r#"{"bytesValue":"_-8"}"#,
        r#"{"bytesValue":"+/8="}"#,
        r#"{"arrayValue":{"values":[{"stringValue":"x"},{}]}}"#,
        r#"{"kvlistValue":{"values":[]}}"#,
        r#"{"stringValue":"a","doubleValue":2}"#,
    ] {
        assert_eq!(peer(none), None, "{none}");
    }
    for bad in [
        r#"{"stringValue":5}"#,
        r#"{"intValue":"x"}"#,
        r#"{"intValue":9223372036854775808}"#,
        "5",
        "[]",
    ] {
        let members = format!(r#","kind":3,"attributes":[{{"key":"peer.service","value":{bad}}}]"#);
        assert!(counts(&document(&members)).is_err(), "{bad}");
        assert!(
            counts(&document(&members.replace("peer.service", "user.id"))).is_ok(),
            "{bad}"
        );
    }
}

/// Row J18. Guarantees: one document, perhaps after a byte order mark; anything after it is malformed.
#[test]
fn one_document_and_nothing_after_it() {
    let good = document("");
    assert!(counts(&format!("\u{feff}{good} \r\n\t")).is_ok());
    for bad in [
        format!("{good}x"),
        format!("{good}{good}"),
        format!("{good},"),
        format!("[{good}]"),
        format!("\u{feff}\u{feff}{good}"),
    ] {
        assert!(counts(&bad).is_err(), "{bad}");
    }
    for bad in [
        "",
        " ",
        "null",
        "[]",
        "1",
        r#""x""#,
        "{",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        "{'a':1}",
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":1e}"#,
        r#"{"a":NaN}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12"}"#,
        "{\"a\":\"\n\"}",
        r#"{"a":[1 2]}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[}"#,
        r#"{"a":{]}"#,
        r#"{"a":tru}"#,
    ] {
        assert!(counts(bad).is_err(), "{bad}");
    }
}

/// Guarantees: 512 levels are read, one more is malformed, a million is as well, and no stack is used for any.
#[test]
fn depth_has_a_bound() {
    let deep = |levels: usize| {
        format!(
            r#"{{"x":{}{}}}"#,
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
    };
    assert!(counts(&deep(512)).is_ok());
    assert!(counts(&deep(513)).is_err());
    assert!(counts(&deep(1_000_000)).is_err());
    assert!(counts(&r#"{"x":"#.repeat(1_000_000)).is_err());
}

/// Guarantees: broken UTF-8 is malformed where it is used and nowhere else, as in protobuf; a later request in the
/// same scratch is not touched by it.
#[test]
fn only_used_strings_must_be_utf8() {
    let broken = |members: &str| {
        document(members)
            .into_bytes()
            .iter()
            .map(|byte| if *byte == b'@' { 0xff } else { *byte })
            .collect::<Vec<_>>()
    };
    let mut scratch = Scratch::default();
    let used =
        broken(r#","kind":3,"attributes":[{"key":"peer.service","value":{"stringValue":"@"}}]"#);
    assert!(
        walk_json(
            &used,
            &ResourceKeys::default(),
            &mut scratch,
            &mut |_| panic!("handed out")
        )
        .is_err()
    );
    let unused =
        broken(r#","kind":3,"name":"@","attributes":[{"key":"x","value":{"stringValue":"@"}}]"#);
    assert_eq!(
        walk_json(&unused, &ResourceKeys::default(), &mut scratch, &mut |_| {})
            .unwrap()
            .decoded,
        1
    );
}
