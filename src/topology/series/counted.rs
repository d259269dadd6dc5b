//! Edges of a slice as they are counted: ends by their plain names, external ones that are known services as these.

use std::borrow::Cow;

use super::labels::{Borrowed, readable};
use super::services::Known;
use super::sums::Sums;
use crate::proto::{self, ConnectionType};
use crate::topology::fold::Named;
use crate::topology::model::NodeKind;
use crate::topology::read;

/// A node of a slice.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) kind: NodeKind,
    name: Cow<'a, str>,
    namespace: Option<Cow<'a, str>>,
}

/// The types of an edge's client and server.
pub(super) type Kinds = (NodeKind, NodeKind);

/// What an edge connects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends<'a> {
    pub(super) client: Named<'a>,
    pub(super) server: Named<'a>,
    pub(super) connection_type: ConnectionType,
}

/// An edge and its calls in one slice.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    pub(super) labels: Borrowed<'a>,
    pub(super) kinds: Kinds,
    pub(super) sums: Sums,
}

// === impl Node ===

impl<'a> Node<'a> {
    /// `None` when a text is missing.
    pub(super) fn read(node: &proto::Node, strings: &'a [String]) -> Option<Self> {
        let text = |at: u32| Some(readable(strings.get(usize::try_from(at).ok()?)?));
        Some(Self {
            kind: read::kind(node.r#type()),
            name: text(node.name_ref)?,
            namespace: text(node.namespace_ref).filter(|namespace| !namespace.is_empty()),
        })
    }

    pub(super) fn named(&self) -> Named<'_> {
        Named {
            kind: self.kind,
            name: &self.name,
            namespace: self.namespace.as_deref(),
        }
    }
}

// === impl Ends ===

impl<'a> Ends<'a> {
    pub(super) fn labels(&self) -> Borrowed<'a> {
        Borrowed::of(self.client, self.server, self.connection_type)
    }

    pub(super) fn kinds(&self) -> Kinds {
        (self.client.kind, self.server.kind)
    }

    /// With real services in place of external ends; `None` when there is none to replace.
    pub(super) fn folded(self, known: &'a Known) -> Option<Self> {
        if self.connection_type != ConnectionType::VirtualNode {
            return None;
        }
        let client = known.real(self.client, self.server.namespace);
        let server = known.real(self.server, self.client.namespace);
        (client.is_some() || server.is_some()).then_some(Self {
            client: client.unwrap_or(self.client),
            server: server.unwrap_or(self.server),
            connection_type: ConnectionType::None,
        })
    }
}

// === impl Counted ===

impl<'a> Counted<'a> {
    pub(super) fn of(
        edge: &proto::Edge,
        client: Named<'a>,
        server: Named<'a>,
        known: &'a Known,
    ) -> Self {
        let ends = Ends {
            client,
            server,
            connection_type: edge.connection_type(),
        };
        let mut sums = Sums::of(edge);
        let folded = ends.folded(known);
        if let Some(folded) = folded {
            sums.fold(ends.kinds(), folded.kinds());
        }
        let ends = folded.unwrap_or(ends);
        Self {
            labels: ends.labels(),
            kinds: ends.kinds(),
            sums,
        }
    }
}
