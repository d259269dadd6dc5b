//! Requests that are valid protobuf but bad telemetry, or no protobuf at all: one test per kind, on exact bytes.

#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "common/otlp_gen.rs"]
mod otlp_gen;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otlp_gen::{attribute, int, text};
use prost::Message as _;
use spangraph::otlp::{CHUNK_SPANS, Counts, Malformed, ResourceKeys, Scratch, walk};
use spangraph::span::{SpanId, SpanKind};

fn span() -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        kind: 3,
        ..Span::default()
    }
}

fn request(resource: Vec<KeyValue>, spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = ScopeSpans {
        spans,
        ..ScopeSpans::default()
    };
    let resource = Resource {
        attributes: resource,
        ..Resource::default()
    };
    let resource_spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope_spans],
        ..ResourceSpans::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![resource_spans],
    }
    .encode_to_vec()
}

fn counts(request: &[u8]) -> Result<Counts, Malformed> {
    walk(
        request,
        &ResourceKeys::default(),
        &mut Scratch::default(),
        &mut |_| {},
    )
}

/// What `read` makes of the only span.
fn only<T>(request: &[u8], read: impl Fn(&spangraph::span::SpanRef<'_>) -> T) -> T {
    let mut found = Vec::new();
    walk(
        request,
        &ResourceKeys::default(),
        &mut Scratch::default(),
        &mut |chunk| {
            found.extend(chunk.spans().map(|span| read(&span)));
        },
    )
    .unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn service(attributes: Vec<KeyValue>) -> Option<String> {
    let mut found = None;
    walk(
        &request(attributes, vec![span()]),
        &ResourceKeys::default(),
        &mut Scratch::default(),
        &mut |chunk| {
            found = chunk.resource(0).service_name.map(str::to_owned);
        },
    )
    .unwrap();
    found
}

/// Rows R1 to R3. Guarantees: each bad id rejects its span for the first reason that holds, and only that span.
#[test]
fn bad_ids_reject_their_span_alone() {
    let ids = [
        vec![],
        vec![1],
        vec![0; 8],
        vec![1; 8],
        vec![1; 9],
        vec![0; 16],
        vec![1; 16],
        vec![1; 17],
    ];
    let mut spans = Vec::new();
    let mut expected = Counts::default();
    for trace in &ids {
        for id in &ids {
            for parent in &ids {
                let reason = match (trace.len(), id.len(), parent.len()) {
                    (16, ..) if trace[0] == 1 => match (id.len(), parent.len()) {
                        (8, 0 | 8) if id[0] == 1 => None,
                        (8, _) if id[0] == 1 => Some(2),
                        _ => Some(1),
                    },
                    _ => Some(0),
                };
                expected.decoded += 1;
                if let Some(reason) = reason {
                    expected.rejected[reason] += 1;
                }
                spans.push(Span {
                    trace_id: trace.clone(),
                    span_id: id.clone(),
                    parent_span_id: parent.clone(),
                    ..Span::default()
                });
            }
        }
    }
    assert_eq!(counts(&request(vec![], spans)), Ok(expected));
}

/// Row R4. Guarantees: a parent that is the span itself, or all zero, is no parent.
#[test]
fn a_span_is_not_its_own_parent() {
    for (parent, expected) in [
        (vec![2; 8], None),
        (vec![0; 8], None),
        (vec![3; 8], SpanId::new(&[3; 8])),
    ] {
        let span = Span {
            parent_span_id: parent,
            ..span()
        };
        assert_eq!(
            only(&request(vec![], vec![span]), |span| span.parent),
            expected
        );
    }
}

/// Row R7. Guarantees: a service name that is missing, empty or no string is none.
#[test]
fn only_a_string_is_a_service_name() {
    assert_eq!(service(vec![]), None);
    assert_eq!(service(vec![text("service.name", "")]), None);
    assert_eq!(service(vec![int("service.name", 7)]), None);
    assert_eq!(
        service(vec![attribute(
            "service.name",
            Value::BytesValue(b"a".to_vec())
        )]),
        None
    );
    assert_eq!(
        service(vec![text("service.name", "a")]).as_deref(),
        Some("a")
    );
}

/// Row R8. Guarantees: of two attributes with one key the last counts, even when it is of no use.
#[test]
fn the_last_of_two_equal_keys_counts() {
    assert_eq!(
        service(vec![text("service.name", "a"), text("service.name", "b")]).as_deref(),
        Some("b")
    );
    assert_eq!(
        service(vec![text("service.name", "a"), int("service.name", 1)]),
        None
    );
    let span = Span {
        attributes: vec![text("peer.service", "a"), text("peer.service", "")],
        ..span()
    };
    assert!(only(&request(vec![], vec![span]), |span| span
        .attrs
        .logical_peer
        .is_none()));
}

/// Row R9. Guarantees: string indexes, which only profiles have, read as nothing.
#[test]
fn string_indexes_are_absent_values() {
    assert_eq!(
        service(vec![attribute(
            "service.name",
            Value::StringValueStrindex(1)
        )]),
        None
    );
    let indexed = KeyValue {
        key_strindex: 4,
        ..text("", "a")
    };
    assert_eq!(
        service(vec![indexed, text("service.name", "b")]).as_deref(),
        Some("b")
    );
}

/// Row R10, and attributes nested beyond any reader's stack. Guarantees: values of every shape are skipped unread.
#[test]
fn values_of_any_shape_and_depth_cost_nothing() {
    let mut nested = AnyValue {
        value: Some(Value::ArrayValue(ArrayValue::default())),
    }
    .encode_to_vec();
    for _ in 0..20_000 {
        for key in [0x0a, 0x2a] {
            let mut outer = vec![key];
            prost::encoding::encode_varint(nested.len() as u64, &mut outer);
            outer.append(&mut nested);
            nested = outer;
        }
    }
    let mut deep = vec![0x0a, 12];
    deep.extend_from_slice(b"service.name");
    deep.push(0x12);
    prost::encoding::encode_varint(nested.len() as u64, &mut deep);
    deep.append(&mut nested);
    let resource = [message(1, &deep)].concat();
    let spans = message(2, &span().encode_to_vec());
    let deep = message(1, &[message(1, &resource), message(2, &spans)].concat());
    assert!(
        ExportTraceServiceRequest::decode(deep.as_slice()).is_err(),
        "prost refuses it"
    );
    assert_eq!(counts(&deep).unwrap().decoded, 1);
    for value in [
        Value::KvlistValue(KeyValueList::default()),
        Value::BytesValue(vec![0xff]),
        Value::DoubleValue(f64::NAN),
    ] {
        assert_eq!(
            service(vec![
                attribute("x", value.clone()),
                attribute("service.name", value)
            ]),
            None
        );
    }
    assert_eq!(
        service(vec![KeyValue {
            value: Some(AnyValue::default()),
            ..text("service.name", "")
        }]),
        None
    );
}

/// Row R11. Guarantees: unknown kinds and status codes are read as unspecified and not failed; flags come whole.
#[test]
fn unknown_numbers_are_accepted() {
    let status = opentelemetry_proto::tonic::trace::v1::Status {
        code: 77,
        ..Default::default()
    };
    let span = Span {
        kind: 99,
        flags: u32::MAX,
        status: Some(status),
        ..span()
    };
    let found = only(&request(vec![], vec![span]), |span| {
        (span.kind, span.failed, span.flags)
    });
    assert_eq!(found, (SpanKind::Unspecified, false, u32::MAX));
}

/// Row R12. Guarantees: broken UTF-8 is malformed where the string is used, and nobody's business elsewhere.
#[test]
fn only_used_strings_must_be_utf8() {
    // A placeholder of the same length is replaced in the encoded bytes, since the types take only valid strings.
    let broken = |mut request: Vec<u8>| {
        let at = request
            .windows(4)
            .position(|four| four == b"@@@@")
            .expect("placeholder");
        request[at..at + 4].copy_from_slice(b"a\xff\xfeb");
        counts(&request)
    };
    let bad = "@@@@";
    assert!(broken(request(vec![text("service.name", bad)], vec![])).is_err());
    assert!(broken(request(vec![text("service.namespace", bad)], vec![])).is_err());
    let spans = |span| vec![span];
    let with = |key: &str, kind: i32| Span {
        kind,
        attributes: vec![text(key, bad)],
        ..span()
    };
    assert!(broken(request(vec![], spans(with("peer.service", 3)))).is_err());
    assert!(broken(request(vec![text("host.name", bad)], vec![])).is_ok());
    assert!(broken(request(vec![], spans(with("user.id", 3)))).is_ok());
    assert!(broken(request(vec![], spans(with("peer.service", 1)))).is_ok());
    assert!(
        broken(request(
            vec![],
            spans(Span {
                name: bad.to_owned(),
                ..span()
            })
        ))
        .is_ok()
    );
}

/// Row R13. Guarantees: a name of a mebibyte is cut to 256 bytes, on a character's boundary, and otherwise kept as is.
#[test]
fn long_names_are_cut_on_a_character() {
    assert_eq!(
        service(vec![text("service.name", "x".repeat(1 << 20))]),
        Some("x".repeat(256))
    );
    assert_eq!(
        service(vec![text("service.name", "日".repeat(1000))]),
        Some("日".repeat(85))
    );
    let hostile = "a\0\n\u{202e}<script>";
    assert_eq!(
        service(vec![text("service.name", hostile)]).as_deref(),
        Some(hostile)
    );
}

/// Row R14, and decode amplification. Guarantees: a million of anything is read in rows for one chunk.
#[test]
fn a_million_of_anything_needs_no_more_room() {
    let empty_spans = message(1, &message(2, &[0x12, 0x00].repeat(1_000_000)));
    let rejected = Counts {
        decoded: 1_000_000,
        rejected: [1_000_000, 0, 0],
        enum_names: 0,
    };
    assert_eq!(counts(&empty_spans), Ok(rejected));
    assert_eq!(
        counts(&[0x0a, 0x00].repeat(1_000_000)),
        Ok(Counts::default())
    );
    let attribute = message(9, &text("peer.service", "a").encode_to_vec());
    let span = [span().encode_to_vec(), attribute.repeat(1_000_000)].concat();
    let request = message(1, &message(2, &message(2, &span)));
    assert_eq!(
        only(&request, |span| span.attrs.logical_peer.map(str::len)),
        Some(1)
    );
}

/// Row R18. Guarantees: no field of the wrong shape is let through, at any level that is read.
#[test]
fn broken_wire_format_is_malformed() {
    let broken: [&[u8]; 12] = [
        &[
            0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01,
        ],
        &[
            0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
        ],
        &[0x0a, 0x05, 0x00],
        &[
            0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01,
        ],
        &[0x00, 0x00],
        &[0x02, 0x00],
        &[0x0e, 0x00],
        &[0x0f, 0x00],
        &[0x0b],
        &[0x7b, 0x84, 0x01],
        &[0x7c],
        &[0x08, 0x01],
    ];
    for bytes in broken {
        assert!(counts(bytes).is_err(), "{bytes:x?}");
        for levels in 1..4 {
            // Inside resource spans (1), scope spans (2), span (2); field 1 with a varint is wrong in each of them.
            let fields = [1, 2, 2];
            let nested = fields[..levels]
                .iter()
                .rev()
                .fold(bytes.to_vec(), |body, field| message(*field, &body));
            assert!(counts(&nested).is_err(), "{levels} {bytes:x?}");
        }
    }
}

/// Guarantees: a request of many chunks comes in order, 2,048 at a time, and not at all when its last byte is wrong.
#[test]
fn a_long_request_is_all_or_nothing() {
    let numbered = |n: u64| Span {
        span_id: (n + 1).to_be_bytes().to_vec(),
        attributes: vec![text("peer.service", n.to_string())],
        ..span()
    };
    let mut bytes = request(
        vec![text("service.name", "a")],
        (0..3000).map(numbered).collect(),
    );
    bytes.extend(request(
        vec![text("service.name", "b")],
        (3000..5000).map(numbered).collect(),
    ));
    let (mut sizes, mut next) = (Vec::new(), 0);
    let mut scratch = Scratch::default();
    let counts = walk(
        &bytes,
        &ResourceKeys::default(),
        &mut scratch,
        &mut |chunk| {
            sizes.push(chunk.len());
            for span in chunk.spans() {
                assert_eq!(span.span.get(), next + 1);
                assert_eq!(span.attrs.logical_peer, Some(next.to_string().as_str()));
                let service = if next < 3000 { "a" } else { "b" };
                assert_eq!(chunk.resource(span.resource).service_name, Some(service));
                next += 1;
            }
        },
    );
    assert_eq!(
        counts,
        Ok(Counts {
            decoded: 5000,
            rejected: [0; 3],
            enum_names: 0,
        })
    );
    assert_eq!(sizes, [CHUNK_SPANS, CHUNK_SPANS, 5000 - 2 * CHUNK_SPANS]);
    bytes.push(0x0a);
    let broken = walk(&bytes, &ResourceKeys::default(), &mut scratch, &mut |_| {
        panic!("handed out")
    });
    assert_eq!(broken.unwrap_err().offset, bytes.len());
}

/// Guarantees: a resource after its spans, or in pieces, or missing, is the spans' resource all the same, and its
/// bytes are those by which it can be remembered.
#[test]
fn resources_are_found_wherever_they_stand() {
    let piece = |key, value: &str| {
        Resource {
            attributes: vec![text(key, value)],
            ..Resource::default()
        }
        .encode_to_vec()
    };
    let (name, space) = (piece("service.name", "a"), piece("service.namespace", "n"));
    let spans = message(2, &message(2, &span().encode_to_vec()));
    let last = message(
        1,
        &[spans.clone(), message(1, &name), message(1, &space)].concat(),
    );
    let first = message(
        1,
        &[
            message(1, &[name.clone(), space.clone()].concat()),
            spans.clone(),
        ]
        .concat(),
    );
    let none = message(1, &spans);
    let mut seen = Vec::new();
    walk(
        &[last, first, none].concat(),
        &ResourceKeys::default(),
        &mut Scratch::default(),
        &mut |chunk| {
            for span in chunk.spans() {
                let resource = chunk.resource(span.resource);
                let names = (
                    resource.service_name.map(str::to_owned),
                    resource.namespace.map(str::to_owned),
                );
                seen.push((names, chunk.resource_bytes(span.resource).to_vec()));
            }
        },
    )
    .unwrap();
    let both = (Some("a".to_owned()), Some("n".to_owned()));
    let bytes = [name, space].concat();
    assert_eq!(
        seen,
        [
            (both.clone(), bytes.clone()),
            (both, bytes),
            ((None, None), Vec::new())
        ]
    );
}

/// Guarantees: a span's byte range is the span, whole, for whoever wants to copy it.
#[test]
fn a_span_knows_its_bytes() {
    let span = Span {
        name: "x".to_owned(),
        attributes: vec![text("a", "b")],
        ..span()
    };
    let bytes = request(vec![], vec![span.clone()]);
    let range = only(&bytes, |span| {
        span.bytes.start as usize..span.bytes.end as usize
    });
    assert_eq!(Span::decode(&bytes[range]).unwrap(), span);
}

/// A length-delimited field.
fn message(field: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(u64::from(field << 3 | 2), &mut bytes);
    prost::encoding::encode_varint(body.len() as u64, &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}
