//! Joins encoded slices without decoding them: every number goes straight from the bytes into dense sums.

use ahash::RandomState;
use hashbrown::{HashMap, HashSet};
use prost::Message;

use super::header::{Header, OneHeader};
use super::parts::{Context, Edge, EdgeEnds, Node, NodeName};
use super::sets::Refs;
use super::strings::{StringId, Strings};
use super::unpaired::Unpaired;
use super::wire::{Field, Malformed, Reader};
use super::{Join, MergeError};
use crate::proto;

/// Joins any number of encoded slices into one.
///
/// Costs time in proportion to the bytes added and memory in proportion to the distinct nodes and edges. Slices may be
/// added in any order. After an error it holds part of the slice that was refused: throw it away.
///
/// It reads what this project writes: fields of a node or an edge in ascending order, packed lists packed. Unknown
/// fields are ignored.
#[derive(Debug)]
pub struct Accumulator {
    pub(super) header: Header,
    pub(super) origins: HashSet<OriginKey, RandomState>,
    pub(super) strings: Strings,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) unpaired: Unpaired,
    /// Place in `nodes` by the string of the node's id; `NOWHERE` for other strings.
    node_of: Vec<u32>,
    edge_of: HashMap<EdgeEnds, u32, RandomState>,
    /// The edge added last, by whose `next` the following one is guessed.
    last_edge: u32,
    scratch: Vec<u64>,
    /// This slice's strings and nodes, by their place in it.
    refs: Vec<StringId>,
    places: Vec<u32>,
}

/// An origin, in the order slices list them.
pub(super) type OriginKey = (String, String, String, u32);

/// One slice taken apart: its header, and its parts still encoded.
#[derive(Default)]
pub(super) struct Parts<'a> {
    header: OneHeader,
    origins: Vec<&'a [u8]>,
    pub(super) strings: Vec<&'a [u8]>,
    unpaired_other: u64,
    pub(super) nodes: Vec<&'a [u8]>,
    pub(super) edges: Vec<&'a [u8]>,
    unpaired: Vec<&'a [u8]>,
}

const NOWHERE: u32 = u32::MAX;

// === impl Parts ===

impl<'a> Parts<'a> {
    /// Takes a slice apart in one pass, expecting about `edges` of them.
    pub(super) fn read(encoded: &'a [u8], edges: usize) -> Result<Self, Malformed> {
        let mut parts = Self {
            edges: Vec::with_capacity(edges),
            ..Self::default()
        };
        let mut reader = Reader::new(encoded);
        while let Some(field) = reader.field()? {
            match field {
                Field::Bytes(2, origin) => parts.origins.push(origin),
                Field::Bytes(10, text) => parts.strings.push(text),
                Field::Bytes(12, node) => parts.nodes.push(node),
                Field::Bytes(13, edge) => parts.edges.push(edge),
                Field::Bytes(14, row) => parts.unpaired.push(row),
                Field::Number(15, other) => parts.unpaired_other = other,
                field => parts.header.take(field)?,
            }
        }
        Ok(parts)
    }
}

// === impl Accumulator ===

impl Accumulator {
    /// An empty one; its result is the identity until something was added.
    pub fn new(join: Join) -> Self {
        Self {
            header: Header::new(join),
            origins: HashSet::default(),
            strings: Strings::default(),
            nodes: Vec::new(),
            edges: Vec::new(),
            unpaired: Unpaired::default(),
            node_of: Vec::new(),
            edge_of: HashMap::default(),
            last_edge: 0,
            scratch: Vec::new(),
            refs: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Adds one encoded slice.
    pub fn add(&mut self, encoded: &[u8]) -> Result<(), MergeError> {
        let parts = Parts::read(encoded, self.edges.len()).map_err(refused)?;
        self.header.join(parts.header.clone())?;
        self.add_parts(&parts).map_err(refused)
    }

    /// The joined slice, sorted, with only the strings it names.
    pub fn finish(self) -> proto::Slice {
        super::finish::finish(self)
    }

    /// The joined slice, encoded.
    pub fn finish_encoded(self) -> bytes::Bytes {
        self.finish().encode_to_vec().into()
    }

    fn add_parts(&mut self, parts: &Parts<'_>) -> Result<(), Malformed> {
        for origin in &parts.origins {
            self.add_origin(origin)?;
        }
        self.refs.clear();
        for text in &parts.strings {
            self.refs.push(self.strings.intern(text)?);
        }
        self.add_nodes(&parts.nodes)?;
        self.add_edges(&parts.edges)?;
        self.unpaired.add_other(parts.unpaired_other);
        self.unpaired.add(
            &parts.unpaired,
            Refs(&self.refs),
            &self.places,
            &self.strings,
            &self.nodes,
        )
    }

    fn add_origin(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let origin =
            proto::Origin::decode(message).map_err(|_| Malformed("an origin does not decode"))?;
        self.origins
            .insert((origin.instance, origin.role, origin.epoch, origin.partition));
        Ok(())
    }

    fn add_nodes(&mut self, nodes: &[&[u8]]) -> Result<(), Malformed> {
        self.places.clear();
        self.node_of.resize(self.strings.len(), NOWHERE);
        for message in nodes {
            let mut reader = Reader::new(message);
            let name = NodeName::read(&mut reader, Refs(&self.refs))?;
            let place = &mut self.node_of[name.id as usize];
            if *place == NOWHERE {
                *place =
                    u32::try_from(self.nodes.len()).map_err(|_| Malformed("too many nodes"))?;
                self.nodes.push(Node::new(name));
            }
            let mut cx = Context {
                strings: &self.strings,
                refs: Refs(&self.refs),
                scratch: &mut self.scratch,
            };
            self.nodes[*place as usize].add(reader, &mut cx)?;
            self.places.push(*place);
        }
        Ok(())
    }

    fn add_edges(&mut self, edges: &[&[u8]]) -> Result<(), Malformed> {
        for message in edges {
            let mut reader = Reader::new(message);
            let ends = EdgeEnds::read(&mut reader)?;
            let end = |place: u32| {
                let node = self.places.get(place as usize).copied();
                node.ok_or(Malformed("an edge's end lies outside the nodes"))
            };
            let ends = EdgeEnds {
                client: end(ends.client)?,
                server: end(ends.server)?,
                kind: ends.kind,
            };
            let place = self.edge_place(ends)?;
            let mut cx = Context {
                strings: &self.strings,
                refs: Refs(&self.refs),
                scratch: &mut self.scratch,
            };
            self.edges[place as usize].add(reader, &mut cx)?;
        }
        Ok(())
    }

    /// Where the edge is summed. Slices list edges in one order, so the edge that followed the last one in the slice
    /// before is nearly always the one.
    #[inline]
    fn edge_place(&mut self, ends: EdgeEnds) -> Result<u32, Malformed> {
        let guess = self
            .edges
            .get(self.last_edge as usize)
            .map_or(0, |last| last.next);
        let guessed = self
            .edges
            .get(guess as usize)
            .is_some_and(|edge| edge.ends == ends);
        let place = if guessed {
            guess
        } else {
            self.look_up_edge(ends)?
        };
        if let Some(last) = self.edges.get_mut(self.last_edge as usize) {
            last.next = place;
        }
        self.last_edge = place;
        Ok(place)
    }

    fn look_up_edge(&mut self, ends: EdgeEnds) -> Result<u32, Malformed> {
        if let Some(place) = self.edge_of.get(&ends) {
            return Ok(*place);
        }
        let place = u32::try_from(self.edges.len()).map_err(|_| Malformed("too many edges"))?;
        self.edges.push(Edge::new(ends));
        self.edge_of.insert(ends, place);
        Ok(place)
    }
}

/// What a caller is told.
pub(super) fn refused(Malformed(why): Malformed) -> MergeError {
    MergeError::Malformed(why.to_owned())
}
