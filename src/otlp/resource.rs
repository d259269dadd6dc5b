//! The resource of one `ResourceSpans`: checked while walking, remembered as places.

use std::borrow::Cow;

use super::Malformed;
use super::value::read_attribute;
use super::wire::{Place, Reader, len, offset, varint};
use crate::span::{MOST_DIMENSIONS, Resource, Weight};

/// Which attributes of a resource say what.
///
/// Name, instance, version and SDK of a service are where the registry pages `service` and `telemetry` put them; what
/// its namespace is, people disagree about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceKeys {
    namespace: Cow<'static, [Cow<'static, str>]>,
    /// Holds a sampling probability; looked for in spans first.
    sampling: Option<Cow<'static, str>>,
    dimensions: Vec<String>,
}

/// What the value of one key is for; a namespace may be read from any key, also from one with a use of its own.
#[derive(Debug, Clone, Copy)]
struct Uses {
    string: Option<usize>,
    /// Place in the order of search.
    namespace: Option<usize>,
    sampling: bool,
    /// Place among the dimensions.
    dimension: Option<usize>,
}

/// One resource: where its bytes and its used strings lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ResourceRow {
    /// In the joined copy (it was sent in pieces) or in the request.
    joined: bool,
    bytes: Place,
    used: Used,
}

/// What is used of a resource.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    strings: [Place; STRINGS],
    sampled: Option<Weight>,
}

const STRINGS: usize = DIMENSIONS + MOST_DIMENSIONS;
const SERVICE_NAME: usize = 0;
const NAMESPACE: usize = 1;
const INSTANCE: usize = 2;
const VERSION: usize = 3;
const SDK_NAME: usize = 4;
/// The first of them.
const DIMENSIONS: usize = 5;

const KNOWN: u32 = 1 << 1 | 1 << 2 | 1 << 3;
const ATTRIBUTE: u32 = len(1);
const DROPPED_ATTRIBUTES: u32 = varint(2);
const ENTITY_REF: u32 = len(3);

/// The keys that always matter, all of them on the registry pages `service` and `telemetry`.
fn find_string(key: &[u8]) -> Option<usize> {
    match key {
        b"service.name" => Some(SERVICE_NAME),
        b"service.instance.id" => Some(INSTANCE),
        b"service.version" => Some(VERSION),
        b"telemetry.sdk.name" => Some(SDK_NAME),
        _ => None,
    }
}

// === impl ResourceKeys ===

impl ResourceKeys {
    /// Most keys searched for a namespace; what is beyond is not looked at.
    pub const MOST: usize = 8;

    /// Takes the namespace from the first of these keys that holds a non-empty string; from none, no service has one.
    pub fn namespace_from(keys: impl IntoIterator<Item = String>) -> Self {
        let keys = keys.into_iter().take(Self::MOST).map(Cow::Owned);
        Self {
            namespace: keys.collect(),
            sampling: None,
            dimensions: Vec::new(),
        }
    }

    /// Also reads the probability with which a span was sampled from the attribute of this key.
    #[must_use]
    pub fn sampled_by(self, key: Option<String>) -> Self {
        Self {
            sampling: key.map(Cow::Owned),
            ..self
        }
    }

    /// Whether the attribute of that key holds a span's sampling probability.
    pub(super) fn samples(&self, key: &[u8]) -> bool {
        self.sampling
            .as_ref()
            .is_some_and(|name| name.as_bytes() == key)
    }

    /// Whether any attribute does.
    pub(super) fn sampling(&self) -> bool {
        self.sampling.is_some()
    }

    /// Reads these dimensions too; what is beyond [`MOST_DIMENSIONS`] is not looked at.
    #[must_use]
    pub fn split_by(mut self, dimensions: impl IntoIterator<Item = String>) -> Self {
        self.dimensions = dimensions.into_iter().take(MOST_DIMENSIONS).collect();
        self
    }

    /// The dimensions, in the order of [`Resource::dimensions`].
    pub fn dimensions(&self) -> &[String] {
        &self.dimensions
    }

    /// Whether anything is read from that key.
    pub(super) fn wants(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    fn find(&self, key: &[u8]) -> Option<Uses> {
        let (mut namespaces, mut dimensions) = (self.namespace.iter(), self.dimensions.iter());
        let uses = Uses {
            string: find_string(key),
            namespace: namespaces.position(|name| name.as_bytes() == key),
            sampling: self.samples(key),
            dimension: dimensions.position(|name| name.as_bytes() == key),
        };
        let placed = uses.string.or(uses.namespace).or(uses.dimension);
        (placed.is_some() || uses.sampling).then_some(uses)
    }
}

/// `service.namespace` alone, as OpenTelemetry has it.
impl Default for ResourceKeys {
    fn default() -> Self {
        Self {
            namespace: Cow::Borrowed(&[Cow::Borrowed("service.namespace")]),
            sampling: None,
            dimensions: Vec::new(),
        }
    }
}

// === impl ResourceRow ===

impl ResourceRow {
    /// Takes one `resource` field. A second one merges into the first, as protobuf has it, in `joined`, whose
    /// concatenated bytes are the message that both pieces make.
    pub(super) fn take(
        &mut self,
        request: &[u8],
        piece: Reader<'_>,
        keys: &ResourceKeys,
        joined: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let place = piece.rest();
        let used = read_used(piece, keys, request)?;
        if self.bytes.len == 0 {
            *self = Self {
                joined: false,
                bytes: place,
                used,
            };
            return Ok(());
        }
        if !self.joined {
            self.joined = true;
            let start = joined.len();
            joined.extend_from_slice(self.bytes.of(request));
            self.bytes.start = offset(start);
        }
        joined.extend_from_slice(place.of(request));
        self.bytes.len += place.len;
        Ok(())
    }

    /// Finds the strings of a resource that came in pieces, once all of them are there.
    pub(super) fn settle(&mut self, keys: &ResourceKeys, joined: &[u8]) -> Result<(), Malformed> {
        if self.joined {
            self.used = read_used(Reader::new(joined).within(self.bytes), keys, joined)?;
        }
        Ok(())
    }

    /// Its encoded bytes.
    pub(super) fn bytes<'a>(&self, request: &'a [u8], joined: &'a [u8]) -> &'a [u8] {
        self.bytes.of(if self.joined { joined } else { request })
    }

    /// What it says.
    pub(super) fn read<'a>(&self, request: &'a [u8], joined: &'a [u8]) -> Resource<'a> {
        let source = if self.joined { joined } else { request };
        let string = |index: usize| text(self.used.strings[index], source);
        Resource {
            service_name: string(SERVICE_NAME),
            namespace: string(NAMESPACE),
            instance: string(INSTANCE),
            version: string(VERSION),
            dimensions: std::array::from_fn(|place| string(DIMENSIONS + place)),
            sampled: self.used.sampled,
            sdk: self.used.strings[SDK_NAME].len != 0,
        }
    }
}

/// The text at a place that was checked while walking; `None` when empty.
pub(super) fn text(place: Place, source: &[u8]) -> Option<&str> {
    std::str::from_utf8(place.of(source))
        .ok()
        .filter(|text| !text.is_empty())
}

fn read_used(
    mut message: Reader<'_>,
    keys: &ResourceKeys,
    source: &[u8],
) -> Result<Used, Malformed> {
    let mut found = Used::default();
    let mut namespaces = [Place::default(); ResourceKeys::MOST];
    while message.more() {
        match message.key()? {
            ATTRIBUTE => {
                let attribute = read_attribute(message.message()?, |key| keys.find(key))?;
                let Some((uses, value)) = attribute else {
                    continue;
                };
                let text = value.name(source).unwrap_or_default();
                if let Some(index) = uses.string {
                    found.strings[index] = text;
                }
                if let Some(order) = uses.namespace {
                    namespaces[order] = text;
                }
                if let Some(place) = uses.dimension {
                    found.strings[DIMENSIONS + place] = text;
                }
                if uses.sampling {
                    found.sampled = value.weight(source);
                }
            }
            DROPPED_ATTRIBUTES => drop(message.varint()?),
            ENTITY_REF => drop(message.bytes()?),
            key => message.skip_unknown(key, KNOWN)?,
        }
    }
    let first = namespaces.into_iter().find(|text| text.len != 0);
    found.strings[NAMESPACE] = first.unwrap_or_default();
    Ok(found)
}
