//! Resources seen before, by their exact bytes, so that reading one costs a hash and a comparison.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;
use dashmap::DashMap;

use crate::graph::Graph;
use crate::otlp::{Chunk, ResourceKeys};
use crate::pairing::{Pairing, ServiceInfo};

/// Name of a service whose resource has none (OpenTelemetry resource semantic conventions, `service.name`).
const UNKNOWN_SERVICE: &str = "unknown_service";

/// Most bytes of resources remembered; at the bound all are forgotten and read anew.
const MOST_BYTES: u64 = 16 << 20;

/// What is remembered of a resource.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) service: ServiceInfo,
    pub(super) instance: Option<Arc<str>>,
    pub(super) version: Option<Arc<str>>,
}

/// The resources seen lately.
#[derive(Debug, Default)]
pub(super) struct Resources {
    known: DashMap<Box<[u8]>, Arc<Known>, RandomState>,
    bytes: AtomicU64,
    forgotten: AtomicU64,
}

// === impl Resources ===

impl Resources {
    /// What resource `index` of the chunk says; its service is interned and marked as used.
    pub(super) fn read(
        &self,
        (graph, pairing): (&Graph, &Pairing),
        keys: &ResourceKeys,
        chunk: Chunk<'_>,
        index: u32,
        tick: u32,
    ) -> Arc<Known> {
        let bytes = chunk.resource_bytes(index);
        let now_s = u64::from(tick);
        if let Some(known) = self.known.get(bytes).map(|known| Arc::clone(&known)) {
            graph.touch(known.service.node, now_s);
            return known;
        }
        let resource = chunk.resource(index);
        let name = resource.service_name.unwrap_or(UNKNOWN_SERVICE);
        let named = keys.dimensions().iter().zip(resource.dimensions);
        let dimensions: Vec<_> = named
            .filter_map(|(key, value)| Some((key.as_str(), value?)))
            .collect();
        let node = graph.split_service(resource.namespace, name, &dimensions, now_s);
        let known = Arc::new(Known {
            service: pairing.service_info(node, &resource, name),
            instance: resource.instance.map(Arc::from),
            version: resource.version.map(Arc::from),
        });
        let cost = bytes.len() as u64 + size_of::<Known>() as u64;
        if self.bytes.fetch_add(cost, Ordering::Relaxed) + cost > MOST_BYTES {
            self.forgotten.fetch_add(1, Ordering::Relaxed);
            self.clear();
        }
        self.known.insert(bytes.into(), Arc::clone(&known));
        known
    }

    /// Forgets all: node ids were released.
    pub(super) fn clear(&self) {
        self.known.clear();
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// Bytes remembered now, and how often all were forgotten for want of room.
    pub(super) fn gauges(&self) -> (u64, u64) {
        (
            self.bytes.load(Ordering::Relaxed),
            self.forgotten.load(Ordering::Relaxed),
        )
    }
}
