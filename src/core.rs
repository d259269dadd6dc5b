//! The deterministic engine: walk, pair, record, seal.
//!
//! Used alike by the receiver, replay, the benches and the tests. Time is an argument; nothing here reads a clock.
//! While no bound is hit, an encoded slice is a function of the multiset of (span, second of arrival).
//!
//! *Room.* What a chunk may take of the pairing share is reserved before it is taken in; with too little room for all of it
//! it is taken in piece by piece, each as a chunk of its own, after room was made.
//!
//! *The cut.* A chunk holds the guard shared while it reads its arrival second, pairs and records, so it lies wholly
//! in one slice. The turn to the next second takes the guard exclusively, only to swap the open slice. Closing the second
//! that is over (links are answered, waits that ended are swept, the slice is sealed) holds no guard that a chunk waits
//! for: `closing`.

mod checkpoint;
mod closing;
mod resources;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::clock::Timestamp;
use crate::graph::call::Effects;
use crate::graph::{Graph, GraphConfig, LiveSlice};
use crate::otlp::{self, Chunk, Counts, Encoding, Malformed, ResourceKeys};
use crate::pairing::{self, Batch, Pairing, Rules};
use crate::proto::{Law, Origin};
use crate::slice::Sealed;
use crate::sync::{Mutex, RwLock};
pub use checkpoint::RestoreError;
use closing::{Over, Sealing};
use resources::{Known, Resources};

/// Nanoseconds per second.
const SECOND_NS: u64 = 1_000_000_000;

/// How often who brings a span looks for room before it is taken in all the same.
const MOST_TRIES: u32 = 8;

/// What the core is told once.
#[derive(Debug, Clone)]
pub struct CoreConfig {
    /// What is read of resources.
    pub resource_keys: ResourceKeys,
    /// The rules of pairing and their waits.
    pub rules: Rules,
    /// Hard ceiling for waiting spans, tombstones and links together, in bytes, if that is 128 KiB or more for each shard.
    /// At it, what is remembered shrinks first, then the waits; counted in `evicted`.
    pub pairing_bytes: u64,
    /// Shards of the pairing state, at least one. Does not show in any result.
    pub shards: usize,
    /// Most nodes; beyond, a new one is `overflow`.
    pub max_nodes: u32,
    /// Most edges; beyond, a new one is overflow→overflow.
    pub max_edges: u32,
    /// Seconds without use after which a node or an edge is released, unless spans are remembered for longer;
    /// `u64::MAX` is never.
    pub idle_s: u64,
    /// Digest of everything above, as slices carry it.
    pub digest: String,
}

/// How a thread waits: it runs what it is given, which may take seconds, and nothing else meanwhile.
pub type Wait = fn(&mut dyn FnMut());

/// Reusable room for one caller of [`Core::apply`]; of one core, whose names it remembers.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: otlp::Scratch,
    work: Work,
}

#[derive(Debug, Default)]
struct Work {
    batch: Batch,
    effects: Effects,
}

/// How full the engine is; for `/metrics` and `/api/v1/status`.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoreGauges {
    /// The pairing state.
    pub pairing: pairing::Gauges,
    /// Seconds that are over and not sealed yet.
    pub unsealed_s: u64,
    /// Times since the start that who brought spans waited until others were taken in, or seconds sealed.
    pub waited: u64,
    /// Bytes of resources remembered.
    pub resource_bytes: u64,
    /// Times all resources were forgotten for want of room.
    pub resources_forgotten: u64,
}

/// The engine.
#[derive(Debug)]
pub struct Core {
    resource_keys: ResourceKeys,
    graph: Graph,
    pairing: Pairing,
    resources: Resources,
    open: RwLock<Open>,
    /// Seconds that are over and not closed yet.
    over: Mutex<Over>,
    /// They are so many that chunks wait.
    behind: AtomicBool,
    /// See [`CoreGauges::waited`].
    waited: AtomicU64,
    /// Held by who closes them.
    sealing: Mutex<Sealing>,
    /// See [`Core::totals`].
    totals: Mutex<Law>,
    /// How those wait who bring more than there is room for.
    wait: Wait,
    /// Added, modulo 2^64, to the monotonic times it is told, so that they go on from where a checkpoint was taken.
    mono_offset_ns: u64,
}

/// The guarded part: what a chunk must see as one.
#[derive(Debug)]
struct Open {
    /// The unix second of the open slice.
    second: u64,
    /// Seconds of monotonic time since the start, from 1; what waits are counted in.
    tick: u32,
    /// Monotonic time at which the open slice began.
    began_mono_ns: u64,
    live: Arc<LiveSlice>,
}

/// When the first slice begins.
#[derive(Debug, Clone, Copy)]
struct Start {
    second: u64,
    tick: u32,
    began_mono_ns: u64,
}

// === impl Core ===

impl Core {
    /// An empty core whose first slice is that of `at`.
    pub fn new(config: CoreConfig, origin: Origin, at: Timestamp) -> Self {
        let start = Start {
            second: at.second(),
            tick: 1,
            began_mono_ns: second_start_mono_ns(at),
        };
        Self::start(config, origin, start)
    }

    /// The same, whose callers of [`Core::apply`] wait in another way than by just doing it.
    #[must_use]
    pub fn waiting_by(self, wait: Wait) -> Self {
        Self { wait, ..self }
    }

    fn start(config: CoreConfig, origin: Origin, start: Start) -> Self {
        let rules = &config.rules;
        let remembered = rules
            .wait
            .max(rules.messaging_wait)
            .saturating_add(rules.retain);
        let graph_config = GraphConfig {
            max_nodes: config.max_nodes,
            max_edges: config.max_edges,
            idle_s: config.idle_s.max(2 * u64::from(remembered)),
        };
        let graph = Graph::new(graph_config, origin, config.digest);
        let Start {
            second,
            tick,
            began_mono_ns,
        } = start;
        let open = Open {
            second,
            tick,
            began_mono_ns,
            live: Arc::new(graph.open(second)),
        };
        Self {
            resource_keys: config.resource_keys,
            pairing: Pairing::new(config.rules, config.shards, config.pairing_bytes, open.tick),
            graph,
            resources: Resources::default(),
            open: RwLock::new(open),
            over: Mutex::default(),
            behind: AtomicBool::new(false),
            waited: AtomicU64::new(0),
            sealing: Mutex::default(),
            totals: Mutex::default(),
            wait: |wait| wait(),
            mono_offset_ns: 0,
        }
    }

    /// Walks, pairs and records one `ExportTraceServiceRequest` that arrived `at`. All or nothing: an error counted
    /// nothing. Both encodings of one request leave the same slices.
    pub fn apply(
        &self,
        request: &[u8],
        encoding: Encoding,
        scratch: &mut Scratch,
        at: Timestamp,
    ) -> Result<Counts, Malformed> {
        if at.second() > self.open.read().second {
            self.turn(self.own_time(at));
        }
        let Scratch { rows, work } = scratch;
        otlp::read(request, encoding, &self.resource_keys, rows, &mut |chunk| {
            let mut left = Some(chunk);
            while let Some(chunk) = left {
                left = self.take_in(chunk, work);
                self.wait_for_room();
            }
        })
    }

    /// Seals what is complete before `to` and returns it, oldest first.
    pub fn advance(&self, to: Timestamp) -> Vec<Sealed> {
        let mut sealing = self.sealing.lock();
        self.close_before(&mut sealing, self.own_time(to));
        std::mem::take(&mut sealing.outbox)
    }

    /// Seals the open slice too, as of `at`: the last act of a drain. Waiting spans stay pending.
    pub fn finish(&self, at: Timestamp) -> Vec<Sealed> {
        let at = self.own_time(at);
        let mut sealing = self.sealing.lock();
        self.close_before(&mut sealing, at);
        self.end_open(at.mono_ns);
        self.close_over(&mut sealing);
        std::mem::take(&mut sealing.outbox)
    }

    /// How full it is now. Waits for no more than a chunk: of a shard that is being swept, as it was before.
    pub fn gauges(&self) -> CoreGauges {
        let (resource_bytes, resources_forgotten) = self.resources.gauges();
        let tick = self.open.read().tick;
        CoreGauges {
            pairing: self.pairing.gauges(tick),
            unsealed_s: self.over.lock().len() as u64,
            waited: self.waited.load(Ordering::Relaxed),
            resource_bytes,
            resources_forgotten,
        }
    }

    /// How full the graph is.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The law's terms since the start, as of the newest sealed slice.
    pub fn totals(&self) -> Law {
        *self.totals.lock()
    }

    fn own_time(&self, at: Timestamp) -> Timestamp {
        Timestamp {
            mono_ns: at.mono_ns.wrapping_add(self.mono_offset_ns),
            ..at
        }
    }

    /// Takes a chunk in, or as much of it as there is room for, at least a span; returns what is left.
    fn take_in<'a>(&self, chunk: Chunk<'a>, work: &mut Work) -> Option<Chunk<'a>> {
        let open = self.open.read();
        if let Some((spans, _room)) = self.pairing.reserve(chunk.links()) {
            return self.apply_first(&open, chunk, spans, work);
        }
        drop(open);
        self.take_in_alone(chunk, work)
    }

    /// The same while no other chunk is taken in, once there is room for a span. If none was found however often it was
    /// made, in a share that is too small to be one, takes a span in all the same.
    fn take_in_alone<'a>(&self, chunk: Chunk<'a>, work: &mut Work) -> Option<Chunk<'a>> {
        for tries in (0..MOST_TRIES).rev() {
            let open = self.open.write();
            let spans = self.pairing.fitting(chunk.links());
            if spans > 0 || tries == 0 {
                return self.apply_first(&open, chunk, spans.max(1), work);
            }
            drop(open);
            self.wait_until_room_is_made();
        }
        None
    }

    fn apply_first<'a>(
        &self,
        open: &Open,
        chunk: Chunk<'a>,
        spans: usize,
        work: &mut Work,
    ) -> Option<Chunk<'a>> {
        if spans >= chunk.len() {
            self.apply_chunk(open, chunk, work);
            return None;
        }
        let (first, rest) = chunk.split_at(spans);
        self.apply_chunk(open, first, work);
        Some(rest)
    }

    fn apply_chunk(&self, open: &Open, chunk: Chunk<'_>, work: &mut Work) {
        open.live
            .decoded(chunk.counts.decoded, chunk.counts.rejected);
        let mut resource: Option<(u32, Arc<Known>)> = None;
        for span in chunk.spans() {
            let known = match &resource {
                Some((index, known)) if *index == span.resource => known,
                _ => {
                    let known = self.resources.read(
                        (&self.graph, &self.pairing),
                        &self.resource_keys,
                        chunk,
                        span.resource,
                        open.tick,
                    );
                    let Known {
                        service,
                        instance,
                        version,
                    } = &*known;
                    open.live
                        .saw_service(service.node, instance.as_deref(), version.as_deref());
                    &resource.insert((span.resource, known)).1
                }
            };
            self.pairing.read(
                &self.graph,
                &mut work.batch,
                &span,
                known.service,
                open.tick,
            );
        }
        let effects = &mut work.effects;
        effects.accepted += work.batch.len() as u64;
        self.pairing
            .apply(&self.graph, &mut work.batch, open.tick, &open.live, effects);
        open.live.absorb(&self.graph, effects);
    }
}

/// Monotonic time at which the wall second of `at` began.
fn second_start_mono_ns(at: Timestamp) -> u64 {
    at.mono_ns.saturating_sub(at.wall_ns % SECOND_NS)
}
