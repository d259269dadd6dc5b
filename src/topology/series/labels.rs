//! What a series is called: all that its labels can say, and nothing else. Edges that differ in anything else (the
//! type of a node, a dimension) are one series.

use std::borrow::Cow;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::Equivalent;

use crate::proto::ConnectionType;
use crate::topology::fold::Named;

/// The labels of a series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels {
    /// Plain name of the caller.
    pub client: Box<str>,
    /// Its namespace, where known.
    pub client_namespace: Option<Box<str>>,
    /// Plain name of the called.
    pub server: Box<str>,
    /// Its namespace, where known.
    pub server_namespace: Option<Box<str>>,
    /// How they are connected.
    pub connection_type: ConnectionType,
}

/// The same, borrowed: hashes and compares like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Borrowed<'a> {
    client: &'a str,
    client_namespace: Option<&'a str>,
    server: &'a str,
    server_namespace: Option<&'a str>,
    connection_type: ConnectionType,
}

/// What the graph, too, calls everything beyond its bounds.
const OVERFLOW: &str = "overflow";

// === impl Labels ===

impl Labels {
    pub(super) fn borrow(&self) -> Borrowed<'_> {
        Borrowed {
            client: &self.client,
            client_namespace: self.client_namespace.as_deref(),
            server: &self.server,
            server_namespace: self.server_namespace.as_deref(),
            connection_type: self.connection_type,
        }
    }
}

// === impl Borrowed ===

impl<'a> Borrowed<'a> {
    /// The series of everything that has none of its own.
    pub(super) const OVERFLOW: Self = Self {
        client: OVERFLOW,
        client_namespace: None,
        server: OVERFLOW,
        server_namespace: None,
        connection_type: ConnectionType::None,
    };

    pub(super) fn of(
        client: Named<'a>,
        server: Named<'a>,
        connection_type: ConnectionType,
    ) -> Self {
        Self {
            client: client.name,
            client_namespace: client.namespace,
            server: server.name,
            server_namespace: server.namespace,
            connection_type,
        }
    }

    /// Bytes of its texts.
    pub(super) fn bytes(self) -> usize {
        let optional = |text: Option<&str>| text.map_or(0, str::len);
        self.client.len()
            + self.server.len()
            + optional(self.client_namespace)
            + optional(self.server_namespace)
    }

    pub(super) fn to_owned(self) -> Labels {
        Labels {
            client: self.client.into(),
            client_namespace: self.client_namespace.map(Box::from),
            server: self.server.into(),
            server_namespace: self.server_namespace.map(Box::from),
            connection_type: self.connection_type,
        }
    }
}

impl Equivalent<Arc<Labels>> for Borrowed<'_> {
    fn equivalent(&self, key: &Arc<Labels>) -> bool {
        *self == key.borrow()
    }
}

/// A name as every reader of the text format takes it: Prometheus' own ends a file at a NUL, and so would drop the
/// whole scrape for one hostile name.
pub(super) fn readable(name: &str) -> Cow<'_, str> {
    if name.contains('\0') {
        Cow::Owned(name.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, RandomState};

    use super::*;

    /// Guarantees: a look-up by borrowed labels finds the owned ones.
    #[test]
    fn borrowed_labels_hash_and_equal_like_owned_ones() {
        let named = |name, namespace| Named {
            kind: crate::topology::NodeKind::Service,
            name,
            namespace,
        };
        let borrowed = Borrowed::of(
            named("a", None),
            named("b", Some("")),
            ConnectionType::Database,
        );
        let owned = Arc::new(borrowed.to_owned());
        let hasher = RandomState::new();
        assert_eq!(hasher.hash_one(borrowed), hasher.hash_one(&owned));
        assert!(borrowed.equivalent(&owned));
        assert_eq!(borrowed.bytes(), 2);
    }
}
