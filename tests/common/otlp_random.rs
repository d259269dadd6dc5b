//! Random requests out of a run of bytes (which proptest can shrink), and an encoder that sends them as no exporter
//! would: fields shuffled, messages in pieces, scalars twice, unknown fields and groups between, long varints.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each user of this file needs another part of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "test code, on small numbers"
)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;
use prost::encoding::encode_varint;

use crate::otlp_oracle::keys;

/// Choices, taken from the bytes; zero when they have run out, which makes everything small.
#[derive(Debug)]
pub struct Choices<'a>(pub &'a [u8]);

// === impl Choices ===

impl Choices<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % bound
    }

    pub fn one_in(&mut self, n: u8) -> bool {
        self.byte() % n == n - 1
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn number(&mut self) -> u64 {
        std::array::from_fn::<u8, 8, _>(|_| self.byte())
            .into_iter()
            .fold(0, |n, byte| n << 8 | u64::from(byte))
    }

    pub fn request(&mut self) -> ExportTraceServiceRequest {
        let resource_spans = (0..=self.below(3)).map(|_| self.resource_spans()).collect();
        ExportTraceServiceRequest { resource_spans }
    }

    fn resource_spans(&mut self) -> ResourceSpans {
        let resource = (!self.one_in(4)).then(|| Resource {
            attributes: (0..self.below(6))
                .map(|_| self.resource_attribute())
                .collect(),
            dropped_attributes_count: self.below(3) as u32,
            ..Resource::default()
        });
        ResourceSpans {
            resource,
            scope_spans: (0..self.below(3)).map(|_| self.scope_spans()).collect(),
            schema_url: "https://example.com/schema".to_owned(),
        }
    }

    fn scope_spans(&mut self) -> ScopeSpans {
        ScopeSpans {
            spans: (0..self.below(4)).map(|_| self.span()).collect(),
            ..ScopeSpans::default()
        }
    }

    fn span(&mut self) -> Span {
        let links = if self.one_in(40) {
            120 + self.below(20)
        } else {
            self.below(3)
        };
        Span {
            trace_id: self.id(16),
            span_id: self.id(8),
            parent_span_id: if self.one_in(3) {
                Vec::new()
            } else {
                self.id(8)
            },
            trace_state: self.pick(&["", "ot=th:8", "vendor=x"]).to_owned(),
            flags: self.pick(&[0, 1, 0x100, 0x301, u32::MAX]),
            name: self.text(),
            kind: self.pick(&[0, 1, 2, 3, 3, 4, 5, 5, 6, 99, -1]),
            start_time_unix_nano: self.number(),
            end_time_unix_nano: self.number(),
            attributes: (0..self.below(8)).map(|_| self.attribute()).collect(),
            dropped_attributes_count: self.below(2) as u32,
            events: (0..self.below(2)).map(|_| self.event()).collect(),
            links: (0..links).map(|_| self.link()).collect(),
            status: (!self.one_in(3)).then(|| self.status()),
            ..Span::default()
        }
    }

    /// Mostly valid; few distinct ones, so that parents meet their children and themselves.
    fn id(&mut self, len: usize) -> Vec<u8> {
        match self.byte() {
            0..=3 => vec![0; len],
            4..=6 => vec![7; len - 1],
            7..=8 => vec![7; len + 1],
            9 => Vec::new(),
            byte => vec![byte % 5 + 1; len],
        }
    }

    fn text(&mut self) -> String {
        match self.byte() {
            0..=60 => String::new(),
            61..=70 => "ü".repeat(150),
            71..=80 => format!("x{}", "日本".repeat(60)),
            81..=90 => "a".repeat(self.below(600)),
            91..=110 => self.below(70_000).to_string(),
            111..=125 => self
                .pick(&["/S/M", "pkg.S/M", "/M", "M", "//", "/a/b/c/"])
                .to_owned(),
            126..=140 => self
                .pick(&["grpc", "aws-api", "OK", "UNAVAILABLE", "12", "17"])
                .to_owned(),
            141..=160 => self
                .pick(&[
                    "create", "send", "publish", "receive", "process", "deliver", "settle",
                ])
                .to_owned(),
            161..=170 => "timer".to_owned(),
            171..=180 => "http://user:pw@host:81/path?q".to_owned(),
            _ => self
                .pick(&["shop", "10.0.0.1", "orders", "\0\u{202e}x"])
                .to_owned(),
        }
    }

    fn value(&mut self, depth: u8) -> Option<AnyValue> {
        let value = match self.byte() {
            0..=130 => Value::StringValue(self.text()),
            131..=170 => Value::IntValue(self.pick(&[
                0,
                1,
                16,
                17,
                80,
                200,
                404,
                999,
                1000,
                65_535,
                65_536,
                -1,
                i64::MIN,
            ])),
            171..=190 => Value::BoolValue(self.one_in(2)),
            191..=200 => Value::DoubleValue(1.5),
            201..=210 => Value::BytesValue(vec![0xff, 0xfe]),
            211..=222 if depth < 6 => Value::ArrayValue(ArrayValue {
                values: (0..self.below(3))
                    .filter_map(|_| self.value(depth + 1))
                    .collect(),
            }),
            223..=235 if depth < 6 => Value::KvlistValue(KeyValueList {
                values: (0..self.below(3))
                    .map(|_| self.keyed("k", depth + 1))
                    .collect(),
            }),
            236..=240 => Value::StringValueStrindex(3),
            241..=248 => return Some(AnyValue { value: None }),
            _ => return None,
        };
        Some(AnyValue { value: Some(value) })
    }

    fn keyed(&mut self, key: &str, depth: u8) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: self.value(depth),
            key_strindex: i32::from(self.one_in(50)),
        }
    }

    fn attribute(&mut self) -> KeyValue {
        let known: Vec<_> = keys().collect();
        let key = match self.byte() {
            0..=200 => self.pick(&known).to_owned(),
            201..=230 => format!("{}x", self.pick(&known)),
            _ => self
                .pick(&["", "k", "user.id", "service.name", "日本"])
                .to_owned(),
        };
        self.keyed(&key, 0)
    }

    fn resource_attribute(&mut self) -> KeyValue {
        let key = self.pick(&[
            "service.name",
            "service.namespace",
            "service.instance.id",
            "service.version",
            "telemetry.sdk.name",
            "host.name",
        ]);
        self.keyed(key, 0)
    }

    fn event(&mut self) -> Event {
        Event {
            name: self.text(),
            attributes: vec![self.keyed("e", 0)],
            ..Event::default()
        }
    }

    fn link(&mut self) -> Link {
        Link {
            trace_id: self.id(16),
            span_id: self.id(8),
            flags: self.pick(&[0, 0x300]),
            ..Link::default()
        }
    }

    fn status(&mut self) -> Status {
        Status {
            message: self.text(),
            code: self.pick(&[0, 1, 2, 2, 3, -1]),
        }
    }
}

/// Encodes a request the hard way.
pub fn shuffled(choices: &mut Choices<'_>, request: &ExportTraceServiceRequest) -> Vec<u8> {
    scramble(choices, &request.encode_to_vec(), &REQUEST)
}

/// The fields of a message that are messages worth scrambling too; of the starred ones a split in pieces is the same.
struct Shape(&'static [(u32, &'static Shape, bool)]);

const REQUEST: Shape = Shape(&[(1, &RESOURCE_SPANS, false)]);
const RESOURCE_SPANS: Shape = Shape(&[(1, &RESOURCE, true), (2, &SCOPE_SPANS, false)]);
const RESOURCE: Shape = Shape(&[(1, &KEY_VALUE, false)]);
const SCOPE_SPANS: Shape = Shape(&[(2, &SPAN, false)]);
const SPAN: Shape = Shape(&[
    (9, &KEY_VALUE, false),
    (13, &LEAF, false),
    (15, &LEAF, true),
]);
const KEY_VALUE: Shape = Shape(&[(2, &LEAF, true)]);
const LEAF: Shape = Shape(&[]);

/// Takes a message apart and puts it together again in another order, elements of one repeated field in theirs.
fn scramble(choices: &mut Choices<'_>, message: &[u8], shape: &Shape) -> Vec<u8> {
    let mut fields = Vec::new();
    for (number, wire, body) in take_apart(message) {
        let inner = shape.0.iter().find(|(field, ..)| *field == number);
        if let Some((_, shape, splits)) = inner {
            let parts = take_apart(&body);
            let pieces = if *splits && choices.one_in(2) {
                let (first, second) = parts.split_at(choices.below(parts.len() + 1));
                vec![first, second]
            } else {
                vec![&parts[..]]
            };
            for piece in pieces {
                let encode = |(n, w, b): &(u32, u32, Vec<u8>)| field(choices, *n, *w, b);
                let piece: Vec<u8> = piece.iter().flat_map(encode).collect();
                fields.push((number, wire, scramble(choices, &piece, shape)));
            }
            continue;
        }
        if choices.one_in(8) && wire != 2 {
            // A scalar sent twice: the last counts.
            // (A varint of ten bytes has no room for other bits in its last.)
            let flip = if body.len() < 10 {
                choices.byte() % 4
            } else {
                0
            };
            let mut other = body.clone();
            *other.last_mut().expect("a scalar has a byte") ^= flip;
            fields.push((number, wire, other));
        }
        fields.push((number, wire, body));
    }
    let mut order: Vec<usize> = (0..fields.len()).collect();
    for index in (1..order.len()).rev() {
        order.swap(index, choices.below(index + 1));
    }
    let mut encoded = Vec::new();
    let mut taken = vec![0; 64];
    for index in &order {
        if choices.one_in(6) {
            unknown(choices, &mut encoded);
        }
        let number = fields[*index].0;
        let same: Vec<_> = fields
            .iter()
            .filter(|(other, ..)| *other == number)
            .collect();
        let (_, wire, body) = same[taken[number as usize]];
        taken[number as usize] += 1;
        encoded.extend(field(choices, number, *wire, body));
    }
    encoded
}

/// A field prost does not know: any wire type, groups in groups.
fn unknown(choices: &mut Choices<'_>, encoded: &mut Vec<u8>) {
    let number = choices.pick(&[17, 63, 1000, (1 << 29) - 1]);
    match choices.below(5) {
        0 => encoded.extend(field(choices, number, 0, &[0x80, 0x01])),
        1 => encoded.extend(field(choices, number, 1, &[9; 8])),
        2 => encoded.extend(field(choices, number, 2, &[0xff, 0, 1])),
        3 => encoded.extend(field(choices, number, 5, &[9; 4])),
        _ => {
            encode_varint(u64::from(number << 3 | 3), encoded);
            encoded.extend(field(choices, 1, 0, &[5]));
            if choices.one_in(2) {
                unknown(choices, encoded);
            }
            encode_varint(u64::from(number << 3 | 4), encoded);
        }
    }
}

/// One field, its key and length now and then longer than they need be.
fn field(choices: &mut Choices<'_>, number: u32, wire: u32, body: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    long_varint(choices, u64::from(number << 3 | wire), &mut encoded);
    if wire == 2 {
        long_varint(choices, body.len() as u64, &mut encoded);
    }
    encoded.extend_from_slice(body);
    encoded
}

fn long_varint(choices: &mut Choices<'_>, value: u64, encoded: &mut Vec<u8>) {
    encode_varint(value, encoded);
    if choices.one_in(16) {
        *encoded.last_mut().expect("a varint has a byte") |= 0x80;
        encoded.push(0);
    }
}

/// Number, wire type and body of each field, as prost wrote them.
fn take_apart(mut message: &[u8]) -> Vec<(u32, u32, Vec<u8>)> {
    let mut fields = Vec::new();
    let buffer = &mut message;
    while !buffer.is_empty() {
        let key = prost::encoding::decode_varint(buffer).expect("well formed") as u32;
        let before = *buffer;
        let len = match key & 7 {
            0 => {
                prost::encoding::decode_varint(buffer).expect("well formed");
                before.len() - buffer.len()
            }
            1 => 8,
            2 => {
                let len = prost::encoding::decode_varint(buffer).expect("well formed") as usize;
                fields.push((key >> 3, 2, buffer[..len].to_vec()));
                *buffer = &buffer[len..];
                continue;
            }
            _ => 4,
        };
        fields.push((key >> 3, key & 7, before[..len].to_vec()));
        *buffer = &before[len..];
    }
    fields
}
