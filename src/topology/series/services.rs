//! Which real services the retained history knows: what decides, when calls are counted, whether an external node is one
//! of them.

use std::collections::HashMap;

use crate::topology::fold::{Named, Services};
use crate::topology::model::NodeKind;

/// Services by node id, and by name.
#[derive(Debug, Default)]
pub(super) struct Known {
    by_id: HashMap<Box<str>, Service>,
    bytes: usize,
    /// In the order of `positions`.
    services: Services,
    names: Vec<Name>,
    stale: bool,
}

/// One service.
#[derive(Debug)]
struct Service {
    name: Name,
    seen_until_s: u64,
}

#[derive(Debug, Clone)]
struct Name {
    name: Box<str>,
    namespace: Option<Box<str>>,
}

/// Bytes of an entry besides its texts, tables and index included.
const ENTRY_BYTES: usize = 256;

// === impl Known ===

impl Known {
    /// Notes a service; returns whether it is new. Beyond `max_bytes` a new one is not noted: calls to an external node
    /// of its name stay with the external node.
    pub(super) fn see(
        &mut self,
        id: &str,
        name: Named<'_>,
        seen_until_s: u64,
        max_bytes: usize,
    ) -> bool {
        if let Some(known) = self.by_id.get_mut(id) {
            known.seen_until_s = known.seen_until_s.max(seen_until_s);
            return false;
        }
        let name = Name {
            name: name.name.into(),
            namespace: name.namespace.map(Box::from),
        };
        let bytes = name.cost(id);
        if self.bytes + bytes > max_bytes {
            return false;
        }
        self.bytes += bytes;
        self.stale = true;
        self.by_id.insert(id.into(), Service { name, seen_until_s });
        true
    }

    /// Forgets what was last seen before `oldest_s`.
    pub(super) fn forget(&mut self, oldest_s: u64) {
        let (bytes, stale) = (&mut self.bytes, &mut self.stale);
        self.by_id.retain(|id, known| {
            let keep = known.seen_until_s > oldest_s;
            if !keep {
                *bytes -= known.name.cost(id);
                *stale = true;
            }
            keep
        });
    }

    /// The index by name must be up to date before [`Known::real`] is asked.
    pub(super) fn refresh(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.names = self
            .by_id
            .values()
            .map(|known| known.name.clone())
            .collect();
        self.services = Services::of(self.names.iter().map(Name::named).enumerate());
    }

    /// The service that `external` is for whoever is in the namespace `beside`.
    pub(super) fn real(&self, external: Named<'_>, beside: Option<&str>) -> Option<Named<'_>> {
        let position = self.services.find(external, beside)?;
        Some(self.names[position].named())
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

// === impl Name ===

impl Name {
    fn named(&self) -> Named<'_> {
        Named {
            kind: NodeKind::Service,
            name: &self.name,
            namespace: self.namespace.as_deref(),
        }
    }

    /// Its bytes: each text is kept twice.
    fn cost(&self, id: &str) -> usize {
        let texts = id.len() + self.name.len() + self.namespace.as_ref().map_or(0, |ns| ns.len());
        ENTRY_BYTES + 2 * texts
    }
}
