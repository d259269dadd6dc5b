//! From the request down to rows: `ExportTraceServiceRequest`, `ResourceSpans`, `ScopeSpans`, `Span`.

use super::attributes::{Slots, rows_since};
use super::chunk::{Chunk, Rows, SpanRow};
use super::fields::{ATTRIBUTE, Fields, Ids, Run};
use super::resource::{ResourceKeys, ResourceRow};
use super::value::read_attribute;
use super::wire::{Place, Reader, len, offset};
use super::{CHUNK_SPANS, Counts, Malformed, Scratch, links};
use crate::span::{SpanKind, Weight};

/// One pass over a request.
pub(super) struct Pass<'r, 's, 'c> {
    request: &'r [u8],
    keys: &'s ResourceKeys,
    rows: &'s mut Rows,
    slots: &'s mut Slots,
    /// Who gets full chunks; `None` in the first pass, which drops them, since an error may still follow.
    chunk: Option<&'c mut dyn FnMut(Chunk<'_>)>,
    /// Counts since the last chunk was handed out or dropped.
    counts: Counts,
    /// Counts of the chunks before.
    before: Counts,
    /// The resource of the spans at hand, and its row once a span of this chunk named it.
    resource: ResourceRow,
    resource_row: Option<u32>,
}

const RESOURCE_SPANS: u32 = len(1);
const REQUEST_KNOWN: u32 = 1 << 1;

const RESOURCE: u32 = len(1);
const SCOPE_SPANS: u32 = len(2);
const SCHEMA_URL: u32 = len(3);
const SCOPE: u32 = len(1);
const SPANS: u32 = len(2);
/// Of `ResourceSpans` and of `ScopeSpans`.
const KNOWN: u32 = 1 << 1 | 1 << 2 | 1 << 3;

// === impl Pass ===

impl<'r, 's, 'c> Pass<'r, 's, 'c> {
    pub(super) fn new(
        request: &'r [u8],
        keys: &'s ResourceKeys,
        scratch: &'s mut Scratch,
        chunk: Option<&'c mut dyn FnMut(Chunk<'_>)>,
    ) -> Self {
        let Scratch { rows, slots, .. } = scratch;
        rows.clear();
        rows.joined.clear();
        slots.clear();
        Self {
            request,
            keys,
            rows,
            slots,
            chunk,
            counts: Counts::default(),
            before: Counts::default(),
            resource: ResourceRow::default(),
            resource_row: None,
        }
    }

    /// Walks to the end. The last chunk is left in the rows, for the caller to hand out with its counts; the first
    /// result is the counts of all chunks before it.
    pub(super) fn run(mut self) -> Result<(Counts, Counts), Malformed> {
        let mut request = Reader::new(self.request);
        while request.more() {
            match request.key()? {
                RESOURCE_SPANS => self.resource_spans(request.message()?)?,
                key => request.skip_unknown(key, REQUEST_KNOWN)?,
            }
        }
        Ok((self.before, self.counts))
    }

    /// The resource may come after the spans, or in pieces, so it is looked for first.
    fn resource_spans(&mut self, mut message: Reader<'r>) -> Result<(), Malformed> {
        let whole = message;
        self.resource = ResourceRow::default();
        self.resource_row = None;
        while message.more() {
            match message.key()? {
                RESOURCE => {
                    let piece = message.message()?;
                    let joined = &mut self.rows.joined;
                    self.resource.take(self.request, piece, self.keys, joined)?;
                }
                SCOPE_SPANS | SCHEMA_URL => drop(message.bytes()?),
                key => message.skip_unknown(key, KNOWN)?,
            }
        }
        self.resource.settle(self.keys, &self.rows.joined)?;
        self.every_scope(whole)
    }

    fn every_scope(&mut self, mut message: Reader<'r>) -> Result<(), Malformed> {
        while message.more() {
            match message.key()? {
                SCOPE_SPANS => self.scope_spans(message.message()?)?,
                key => message.skip(key)?,
            }
        }
        Ok(())
    }

    fn scope_spans(&mut self, mut message: Reader<'r>) -> Result<(), Malformed> {
        while message.more() {
            match message.key()? {
                SPANS => self.span(message.message()?)?,
                SCOPE | SCHEMA_URL => drop(message.bytes()?),
                key => message.skip_unknown(key, KNOWN)?,
            }
        }
        Ok(())
    }

    fn span(&mut self, message: Reader<'r>) -> Result<(), Malformed> {
        let fields = Fields::read(message)?;
        if self.rows.spans.len() == CHUNK_SPANS {
            self.turn_over();
        }
        self.counts.decoded += 1;
        match fields.ids() {
            Ok(ids) => self.accept(message, &fields, ids),
            Err(reason) => {
                self.counts.rejected[reason as usize] += 1;
                Ok(())
            }
        }
    }

    fn accept(
        &mut self,
        message: Reader<'r>,
        fields: &Fields<'_>,
        ids: Ids,
    ) -> Result<(), Malformed> {
        // An INTERNAL span is never promoted, so nothing reads its attributes.
        let attrs = if fields.kind != SpanKind::Internal && fields.attributes.count != 0 {
            self.gather(message, fields.attributes)?
        } else {
            Place::default()
        };
        let links = if wants_links(fields.kind) && fields.links.count != 0 {
            links::check(message.within(fields.links.place()))?;
            fields.links
        } else {
            Run::default()
        };
        let sampled = if self.keys.sampling() && fields.attributes.count != 0 {
            self.sampled(message, fields.attributes)?
        } else {
            None
        };
        let resource = self.resource_row();
        self.rows.spans.push(SpanRow {
            ids,
            kind: fields.kind,
            failed: fields.failed,
            flags: fields.flags,
            start_ns: fields.start_ns,
            end_ns: fields.end_ns,
            name: fields.name,
            trace_state: fields.trace_state,
            attrs,
            links: links.place(),
            link_count: links.count,
            sampled,
            resource,
            bytes: message.rest(),
        });
        Ok(())
    }

    fn gather(&mut self, message: Reader<'r>, run: Run) -> Result<Place, Malformed> {
        let mut message = message.within(run.place());
        while message.more() {
            match message.key()? {
                ATTRIBUTE => self.slots.take(message.message()?, self.request)?,
                key => message.skip(key)?,
            }
        }
        let first = self.rows.attrs.len();
        self.slots.settle(&mut self.rows.attrs, self.request);
        Ok(rows_since(first, &self.rows.attrs))
    }

    /// The weight by the sampling attribute, which is read whatever the kind.
    #[cold]
    fn sampled(&self, message: Reader<'r>, run: Run) -> Result<Option<Weight>, Malformed> {
        let mut message = message.within(run.place());
        let mut sampled = None;
        while message.more() {
            match message.key()? {
                ATTRIBUTE => {
                    let is_it = |key: &[u8]| self.keys.samples(key).then_some(());
                    if let Some(((), value)) = read_attribute(message.message()?, is_it)? {
                        sampled = value.weight(self.request);
                    }
                }
                key => message.skip(key)?,
            }
        }
        Ok(sampled)
    }

    fn resource_row(&mut self) -> u32 {
        *self.resource_row.get_or_insert_with(|| {
            self.rows.resources.push(self.resource);
            offset(self.rows.resources.len() - 1)
        })
    }

    /// Hands out a full chunk, or in the first pass drops it, and begins the next.
    fn turn_over(&mut self) {
        if let Some(chunk) = &mut self.chunk {
            chunk(Chunk::of(self.request, self.rows, self.counts));
        }
        self.before += self.counts;
        self.counts = Counts::default();
        self.rows.clear();
        self.resource_row = None;
    }
}

/// Whether any rule reads the links of such a span; UNSPECIFIED may yet become CLIENT (R0).
fn wants_links(kind: SpanKind) -> bool {
    !matches!(kind, SpanKind::Internal | SpanKind::Server)
}
