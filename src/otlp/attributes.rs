//! The recognised attributes of one span: gathered into slots, one per key, then settled into rows, one per meaning.
//!
//! A key sent twice counts as sent last; of two keys with one meaning the newer convention's counts, if what it holds
//! is of any use: an IP literal that names nobody does not hide a name under an older key.

#![expect(
    clippy::inline_always,
    reason = "as in `value`: one loop over the attributes, nothing through memory"
)]

use super::Malformed;
use super::value::{Value, read_attribute};
use super::wire::{Place, Reader};
use crate::semconv::keys::{self, KEYS, Meaning, SPAN_KEYS};

/// One thing the attributes of a span say. `value` is a place in the request, or a number in its `start`.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttrRow {
    pub(super) meaning: Meaning,
    pub(super) value: Place,
}

/// The last useful value of every key of the span at hand.
#[derive(Debug)]
pub(super) struct Slots {
    /// Which keys are present, by their index in [`SPAN_KEYS`]; the others' values are leftovers.
    present: u64,
    values: [Place; KEYS],
}

/// gRPC's status names by code (<https://grpc.io/docs/guides/status-codes/>); `rpc.response.status_code` holds them.
const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

// === impl AttrRow ===

impl AttrRow {
    #[cold]
    fn may_name(&self, source: &[u8]) -> bool {
        let text = std::str::from_utf8(self.value.of(source));
        text.is_ok_and(|text| keys::may_name(self.meaning, text))
    }
}

// === impl Slots ===

impl Default for Slots {
    fn default() -> Self {
        Self {
            present: 0,
            values: [Place::default(); KEYS],
        }
    }
}

impl Slots {
    /// Takes one encoded `KeyValue` of the request `source`.
    #[inline(always)]
    pub(super) fn take(&mut self, attribute: Reader<'_>, source: &[u8]) -> Result<(), Malformed> {
        if let Some((key, value)) = read_attribute(attribute, keys::find)? {
            self.present &= !(1 << key);
            if let Some(value) = useful(key, value, source) {
                self.values[key] = value;
                self.present |= 1 << key;
            }
        }
        Ok(())
    }

    /// Moves what was gathered to `rows`: of each meaning the first present key, unless that cannot name the peer and an
    /// older one can; a host of the older keys comes with the port of these alone.
    pub(super) fn settle(&mut self, rows: &mut Vec<AttrRow>, source: &[u8]) {
        let mut last = None;
        let mut older_host = false;
        while self.present != 0 {
            let key = self.present.trailing_zeros() as usize;
            self.present &= self.present - 1;
            let (name, meaning) = SPAN_KEYS[key];
            if older_host && name == keys::NEWER_PORT {
                continue;
            }
            let row = AttrRow {
                meaning,
                value: self.values[key],
            };
            if last != Some(meaning) {
                last = Some(meaning);
                rows.push(row);
            } else if let Some(newer) = rows.last_mut()
                && !newer.may_name(source)
                && row.may_name(source)
            {
                *newer = row;
                older_host |= meaning == Meaning::Host;
            }
        }
    }

    /// Forgets a span that will not be settled.
    pub(super) fn clear(&mut self) {
        self.present = 0;
    }
}

/// What a value is good for under its key; `None` counts as absent, so that an older key may speak.
fn useful(key: usize, value: Value, source: &[u8]) -> Option<Place> {
    let (name, meaning) = SPAN_KEYS[key];
    match meaning {
        Meaning::Url => value.text(),
        Meaning::Port => within(value.number(source)?, 1, 65_535),
        Meaning::HttpCode => within(value.number(source)?, 100, 999),
        Meaning::GrpcCode => grpc_code(value, source),
        Meaning::DestinationGenerated => (value == Value::Bool(true)).then(Place::default),
        Meaning::RpcService if name == "rpc.method" => service_of_method(value, source),
        _ => value.name(source),
    }
}

/// A number as a row keeps it.
fn within(number: i64, least: i64, most: i64) -> Option<Place> {
    let start = u32::try_from(number).ok()?;
    (least..=most)
        .contains(&number)
        .then_some(Place { start, len: 0 })
}

fn grpc_code(value: Value, source: &[u8]) -> Option<Place> {
    let name = value.text().map_or(&[][..], |text| text.of(source));
    let named = GRPC_CODES.iter().position(|code| code.as_bytes() == name);
    match named {
        Some(code) => within(i64::try_from(code).ok()?, 0, 16),
        None => within(value.number(source)?, 0, 16),
    }
}

/// The service in a fully qualified method: what stands before the last slash, without a leading one.
fn service_of_method(value: Value, source: &[u8]) -> Option<Place> {
    let text = value.text()?;
    let method = text.of(source);
    let end = method.iter().rposition(|byte| *byte == b'/')?;
    let first = method.iter().position(|byte| *byte != b'/')?;
    let service = Place::new(text.start as usize + first, end.checked_sub(first)?);
    Value::Text(service).name(source)
}

/// A place's number, as [`within`] put it there.
pub(super) fn number_of(place: Place) -> u16 {
    u16::try_from(place.start).unwrap_or_default()
}

/// The rows from `first` on, as a range that a span row keeps.
pub(super) fn rows_since(first: usize, rows: &[AttrRow]) -> Place {
    Place::new(first, rows.len() - first)
}
