//! How requests follow each other in a file, and how to tell from its beginning.

use crate::cli::Framing;

/// Most bytes of one line or frame, as stored and inflated; the receiver's largest message is no larger.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// Bytes of a file's beginning that are looked at.
pub(super) const PROBE_BYTES: usize = 64 << 10;

/// The one byte with which `ExportTraceServiceRequest` begins: its only field, a message.
const RESOURCE_SPANS: u8 = 0x0a;

pub(super) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// What a file's beginning says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detected {
    Framing(Framing),
    /// The whole file is compressed; this takes it apart.
    Compressed(&'static str),
    Unknown,
}

/// One length before a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// The frame has so many bytes, after a prefix of so many.
    Is { frame: u64, prefix: usize },
    /// The bytes end before it does.
    CutOff,
    /// No length.
    Broken,
}

/// Tells the framing by the first `PROBE_BYTES` of a file, or by all of it when it is shorter (`whole`).
///
/// The three cannot be taken for each other: JSON begins with a brace and a quote, which as a length is not followed by
/// a request; a big-endian length of at most 64 MiB begins with a byte below 5, which as a varint is a frame too short
/// for a span. Whatever else is text is taken for lines, so that each can be named.
pub(super) fn detect(probe: &[u8], whole: bool) -> Detected {
    if is_json(probe) {
        return Detected::Framing(Framing::Json);
    }
    for framing in [Framing::Be32, Framing::Varint] {
        if has_frames(probe, whole, framing) {
            return Detected::Framing(framing);
        }
    }
    if probe.starts_with(&GZIP_MAGIC) {
        return Detected::Compressed("gzip -dc");
    }
    if probe.starts_with(&ZSTD_MAGIC) {
        return Detected::Compressed("zstd -dc");
    }
    let binary = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    if probe.iter().any(binary) {
        Detected::Unknown
    } else {
        Detected::Framing(Framing::Json)
    }
}

/// Reads the length at the beginning of `bytes`.
pub(super) fn length(bytes: &[u8], framing: Framing) -> Length {
    if framing == Framing::Be32 {
        return match bytes.first_chunk() {
            Some(prefix) => Length::Is {
                frame: u32::from_be_bytes(*prefix).into(),
                prefix: 4,
            },
            None => Length::CutOff,
        };
    }
    let mut frame = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return Length::Broken;
        }
        frame |= bits << (7 * at);
        if byte & 0x80 == 0 {
            return Length::Is {
                frame,
                prefix: at + 1,
            };
        }
    }
    if bytes.len() < 10 {
        Length::CutOff
    } else {
        Length::Broken
    }
}

/// Whether `bytes` begin as a JSON object does. Blank ones do too: there is no line in them.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Some((first, rest)) = text.trim_ascii_start().split_first() else {
        return true;
    };
    let rest = rest.trim_ascii_start();
    match rest {
        _ if *first != b'{' => false,
        [] | [b'"'] | [b'}', ..] => true,
        // No control character stands in a JSON string, and nothing but one begins a field of ours.
        [b'"', next, ..] => *next >= b' ',
        _ => false,
    }
}

/// Whether the probe is a run of frames, the first one with anything in it a request.
fn has_frames(probe: &[u8], whole: bool, framing: Framing) -> bool {
    let mut rest = probe;
    let (mut frames, mut filled) = (0, 0);
    while !rest.is_empty() {
        let Length::Is { frame, prefix } = length(rest, framing) else {
            break;
        };
        let Some(len) = usize::try_from(frame).ok().filter(|len| *len <= MAX_BYTES) else {
            return filled > 0;
        };
        let body = &rest[prefix..];
        let seen = &body[..len.min(body.len())];
        if filled == 0 && len > 0 && !begins_request(seen, len) {
            return false;
        }
        if seen.len() < len {
            // Past the probe, unless the input ends here: then the last frame is cut off, and the first is none.
            return filled > 0 || !whole;
        }
        frames += 1;
        filled += usize::from(len > 0);
        rest = &body[len..];
    }
    filled > 0 || (frames > 0 && framing == Framing::Be32)
}

/// Whether a frame of `len` bytes that begins with `seen` can be a request, in any encoding that frames come in.
fn begins_request(seen: &[u8], len: usize) -> bool {
    if seen.starts_with(&ZSTD_MAGIC) || (seen.starts_with(b"{") && is_json(seen)) {
        return true;
    }
    let Some((&RESOURCE_SPANS, rest)) = seen.split_first() else {
        return false;
    };
    match length(rest, Framing::Varint) {
        Length::Is { frame, prefix } => frame <= (len - 1).saturating_sub(prefix) as u64,
        Length::CutOff => seen.len() < len,
        Length::Broken => false,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    /// Requests of any size: a few `ResourceSpans`, each with a schema URL and with spans whose names are so long.
    fn requests() -> impl Strategy<Value = Vec<ExportTraceServiceRequest>> {
        let spans = prop::collection::vec(0_usize..300, 0..4);
        let resources = prop::collection::vec((0_usize..200, spans), 1..4);
        prop::collection::vec(resources.prop_map(request), 1..6)
    }

    fn request(resources: Vec<(usize, Vec<usize>)>) -> ExportTraceServiceRequest {
        let span = |name: usize| Span {
            trace_id: vec![7; 16],
            name: "x".repeat(name),
            ..Span::default()
        };
        let resource_spans = resources.into_iter().map(|(url, spans)| ResourceSpans {
            schema_url: "u".repeat(url),
            scope_spans: vec![ScopeSpans {
                spans: spans.into_iter().map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        });
        ExportTraceServiceRequest {
            resource_spans: resource_spans.collect(),
        }
    }

    fn frames(requests: &[ExportTraceServiceRequest], framing: Framing) -> Vec<u8> {
        let mut file = Vec::new();
        for request in requests {
            let body = request.encode_to_vec();
            if framing == Framing::Be32 {
                file.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
                file.extend(body);
            } else {
                request.encode_length_delimited(&mut file).unwrap();
            }
        }
        file
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Scenario: frames of requests of any size, the file seen whole, or only its beginning, or cut off at its end.
        /// Guarantees: the framing it was written in.
        #[test]
        fn frames_are_told_apart(requests in requests(), varint in any::<bool>(), end in any::<prop::sample::Index>()) {
            let framing = if varint { Framing::Varint } else { Framing::Be32 };
            let file = frames(&requests, framing);
            prop_assert_eq!(detect(&file, true), Detected::Framing(framing));
            let first = frames(&requests[..1], framing).len();
            let cut = first + end.index(file.len() - first + 1);
            prop_assert_eq!(detect(&file[..cut], true), Detected::Framing(framing), "cut off");
            let seen = (first / 2).max(8).min(file.len());
            prop_assert_eq!(detect(&file[..seen], false), Detected::Framing(framing), "{} bytes seen", seen);
        }

        /// Guarantees: JSON is told whatever stands before it and however it is spaced, also cut off anywhere.
        #[test]
        fn json_is_told(
            bom in any::<bool>(),
            before in "[ \t\r\n]{0,40}",
            between in "[ \t]{0,40}",
            name in "[a-zA-Z]{1,130}",
            cut in any::<prop::sample::Index>(),
        ) {
            let bom = if bom { "\u{feff}" } else { "" };
            let text = format!("{bom}{before}{{{between}\"{name}\"{between}:{between}[]}}\n");
            prop_assert_eq!(detect(text.as_bytes(), true), Detected::Framing(Framing::Json));
            let cut = (bom.len() + before.len()..text.len()).nth(cut.index(name.len())).unwrap_or(text.len());
            prop_assert_eq!(detect(&text.as_bytes()[..cut], true), Detected::Framing(Framing::Json));
        }

        /// Guarantees: any bytes get an answer.
        #[test]
        fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), whole in any::<bool>()) {
            let _ = detect(&bytes, whole);
        }

        /// Guarantees: a varint length reads as protobuf's own reader reads it.
        #[test]
        fn lengths_are_read_as_protobuf_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let expected = prost::encoding::decode_varint(&mut &bytes[..]).ok();
            match length(&bytes, Framing::Varint) {
                Length::Is { frame, .. } => prop_assert_eq!(Some(frame), expected),
                Length::CutOff | Length::Broken => prop_assert_eq!(None, expected),
            }
        }
    }

    #[test]
    fn what_is_none_of_ours_is_not_taken_for_it() {
        for (bytes, expected) in [
            (&b""[..], Detected::Framing(Framing::Json)),
            (b"hello\n", Detected::Framing(Framing::Json)),
            (b"[{}]", Detected::Framing(Framing::Json)),
            (&[0x1f, 0x8b, 8, 0], Detected::Compressed("gzip -dc")),
            (
                &[0x28, 0xb5, 0x2f, 0xfd, 4],
                Detected::Compressed("zstd -dc"),
            ),
            (b"PAR1\x15\x04\x15\x00", Detected::Unknown),
            (b"\x7fELF\x02\x01\x01\x00", Detected::Unknown),
            // A request without a length before it.
            (&[0x0a, 0x04, 0x12, 0x02, 0x12, 0x00], Detected::Unknown),
        ] {
            assert_eq!(detect(bytes, true), expected, "{bytes:?}");
        }
    }
}
