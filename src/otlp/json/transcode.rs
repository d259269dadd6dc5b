//! OTLP/JSON to the protobuf wire form, as far as the walker looks: ids, kind, times, flags, names, status, links and
//! the attributes whose keys are recognised. What no rule uses is checked to be JSON and left out.
//!
//! An object is scanned to its end before its members are read, so that of a repeated name the last one counts.

use super::super::{Malformed, ResourceKeys};
use super::number::integer;
use super::scanner::{RawString, Scanner};
use super::writer::Writer;
use crate::semconv::keys;

/// One document on its way.
#[derive(Debug)]
pub(super) struct Transcoder<'a, 'w> {
    document: Scanner<'a>,
    keys: &'w ResourceKeys,
    out: &'w mut Writer,
    /// Enum values sent by name, which OTLP forbids and exporters do (row J5).
    enum_names: u64,
}

type Element<'a, 'w> = fn(&mut Transcoder<'a, 'w>, &mut Scanner<'a>) -> Result<(), Malformed>;

const SPAN_KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const STATUS_CODES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

// === impl Transcoder ===

impl<'a, 'w> Transcoder<'a, 'w> {
    pub(super) fn new(json: &'a [u8], keys: &'w ResourceKeys, out: &'w mut Writer) -> Self {
        Self {
            document: Scanner::new(json),
            keys,
            out,
            enum_names: 0,
        }
    }

    /// Reads the whole document and says how many enum values it sent by name.
    pub(super) fn run(mut self) -> Result<u64, Malformed> {
        let mut document = self.document;
        let [spans] = document.members(["resourceSpans"])?;
        document.end()?;
        self.array(spans, Self::resource_spans)?;
        Ok(self.enum_names)
    }

    fn resource_spans(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Malformed> {
        let [resource, scopes] = scanner.members(["resource", "scopeSpans"])?;
        let message = self.out.begin(1);
        if let Some(at) = resource {
            let [attributes] = self.document.value_at(at).members(["attributes"])?;
            let resource = self.out.begin(1);
            self.array(attributes, Self::resource_attribute)?;
            self.out.end(resource);
        }
        self.array(scopes, Self::scope_spans)?;
        self.out.end(message);
        Ok(())
    }

    fn scope_spans(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Malformed> {
        let [spans] = scanner.members(["spans"])?;
        let message = self.out.begin(2);
        self.array(spans, Self::span)?;
        self.out.end(message);
        Ok(())
    }

    fn span(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Malformed> {
        let [
            trace,
            span,
            state,
            parent,
            flags,
            name,
            kind,
            start,
            end,
            attributes,
            links,
            status,
        ] = scanner.members([
            "traceId",
            "spanId",
            "traceState",
            "parentSpanId",
            "flags",
            "name",
            "kind",
            "startTimeUnixNano",
            "endTimeUnixNano",
            "attributes",
            "links",
            "status",
        ])?;
        let message = self.out.begin(2);
        self.id(1, trace)?;
        self.id(2, span)?;
        self.text(3, state)?;
        self.id(4, parent)?;
        self.text(5, name)?;
        self.enumeration(6, kind, &SPAN_KINDS)?;
        self.time(7, start)?;
        self.time(8, end)?;
        self.flags(16, flags)?;
        self.array(attributes, Self::span_attribute)?;
        self.array(links, Self::link)?;
        if let Some(at) = status {
            let [code] = self.document.value_at(at).members(["code"])?;
            let status = self.out.begin(15);
            self.enumeration(3, code, &STATUS_CODES)?;
            self.out.end(status);
        }
        self.out.end(message);
        Ok(())
    }

    fn link(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Malformed> {
        let [trace, span, flags] = scanner.members(["traceId", "spanId", "flags"])?;
        let message = self.out.begin(13);
        self.id(1, trace)?;
        self.id(2, span)?;
        self.flags(6, flags)?;
        self.out.end(message);
        Ok(())
    }

    fn span_attribute(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Malformed> {
        let sampling = self.keys;
        self.attribute(9, scanner, |key| {
            keys::find(key).is_some() || sampling.samples(key)
        })
    }

    fn resource_attribute(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Malformed> {
        let keys = self.keys;
        self.attribute(1, scanner, |key| keys.wants(key))
    }

    fn attribute(
        &mut self,
        field: u32,
        scanner: &mut Scanner<'a>,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Malformed> {
        let [key, value] = scanner.members(["key", "value"])?;
        let Some(key) = key else { return Ok(()) };
        let message = self.out.begin(field);
        let name = self.document.value_at(key).string()?;
        if wanted(self.out.string(1, name)) {
            if let Some(at) = value {
                self.any_value(at)?;
            }
            self.out.end(message);
        } else {
            self.out.cancel(message);
        }
        Ok(())
    }

    /// Of several members the last one that is no `null` counts, as in the oneof that this is.
    fn any_value(&mut self, at: usize) -> Result<(), Malformed> {
        let members = [
            "stringValue",
            "boolValue",
            "intValue",
            "doubleValue",
            "arrayValue",
            "kvlistValue",
            "bytesValue",
        ];
        let found = self.document.value_at(at).members(members)?;
        let message = self.out.begin(2);
        let last = (0..found.len()).max_by_key(|index| found[*index]);
        match last.and_then(|index| Some((index, found[index]?))) {
            Some((0, at)) => self.text(1, Some(at))?,
            Some((1, at)) => match self.document.value_at(at).literal() {
                Ok(flag) => self.out.varint(2, u64::from(flag == "true")),
                Err(_) => {
                    return self
                        .document
                        .value_at(at)
                        .malformed("expected true or false");
                }
            },
            Some((2, at)) => {
                let number = self.integer(at, i64::MIN.into(), i64::MAX.into())?;
                self.out.varint(3, low_bits(number));
            }
            Some((3, at)) => self.double(4, at)?,
            _ => {}
        }
        self.out.end(message);
        Ok(())
    }

    /// A double, bare or quoted; a text that is none says nothing.
    fn double(&mut self, field: u32, at: usize) -> Result<(), Malformed> {
        let mut scanner = self.document.value_at(at);
        let text = match scanner.peek() {
            Some(b'"') => scanner.string()?.raw,
            _ => scanner.number()?,
        };
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok());
        if let Some(number) = number {
            self.out.fixed64(field, f64::to_bits(number));
        }
        Ok(())
    }

    fn array(&mut self, at: Option<usize>, element: Element<'a, 'w>) -> Result<(), Malformed> {
        let Some(at) = at else { return Ok(()) };
        let mut scanner = self.document.value_at(at);
        if !scanner.take(b'[') {
            return scanner.malformed("expected an array");
        }
        // The outermost scan found the array well formed: commas where they belong, and an end.
        while let Some(next) = scanner.peek() {
            match next {
                b']' => break,
                b',' => drop(scanner.take(b',')),
                b'n' => drop(scanner.literal()?),
                _ => element(self, &mut scanner)?,
            }
        }
        Ok(())
    }

    fn text(&mut self, field: u32, at: Option<usize>) -> Result<(), Malformed> {
        if let Some(at) = at {
            let text = self.document.value_at(at).string()?;
            self.out.string(field, text);
        }
        Ok(())
    }

    /// Hex digits of either case. Anything else is an id of one byte: it rejects its span, not the request.
    fn id(&mut self, field: u32, at: Option<usize>) -> Result<(), Malformed> {
        if let Some(at) = at {
            let digits = self.document.value_at(at).string()?;
            self.out.hex(field, digits);
        }
        Ok(())
    }

    fn time(&mut self, field: u32, at: Option<usize>) -> Result<(), Malformed> {
        if let Some(at) = at {
            let time = self.integer(at, 0, u64::MAX.into())?;
            self.out.fixed64(field, low_bits(time));
        }
        Ok(())
    }

    fn flags(&mut self, field: u32, at: Option<usize>) -> Result<(), Malformed> {
        if let Some(at) = at {
            let flags = self.integer(at, 0, u32::MAX.into())?;
            self.out
                .fixed32(field, u32::try_from(flags).unwrap_or_default());
        }
        Ok(())
    }

    /// A number, bare or quoted, or a name; an unknown name is the enum's zero.
    fn enumeration(
        &mut self,
        field: u32,
        at: Option<usize>,
        names: &[&str],
    ) -> Result<(), Malformed> {
        let Some(at) = at else { return Ok(()) };
        let mut scanner = self.document.value_at(at);
        let is_name = |text: &RawString<'_>| text.raw.first().is_some_and(u8::is_ascii_alphabetic);
        if scanner.peek() == Some(b'"') {
            let text = scanner.string()?;
            if is_name(&text) {
                let number = names.iter().position(|name| text.is(name)).unwrap_or(0);
                self.enum_names += 1;
                self.out.varint(field, number as u64);
                return Ok(());
            }
        }
        let number = self.integer(at, i32::MIN.into(), i32::MAX.into())?;
        self.out.varint(field, low_bits(number));
        Ok(())
    }

    /// An integer, bare or quoted.
    fn integer(&self, at: usize, least: i128, most: i128) -> Result<i128, Malformed> {
        let mut scanner = self.document.value_at(at);
        let text = match scanner.peek() {
            Some(b'"') => scanner.string()?.raw,
            _ => scanner.number()?,
        };
        match integer(text) {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            _ => self
                .document
                .value_at(at)
                .malformed("expected a whole number in range"),
        }
    }
}

/// A number of at most 64 bits in two's complement, as varints carry it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 64 bits: `integer` checked the range"
)]
fn low_bits(number: i128) -> u64 {
    number as u64
}
