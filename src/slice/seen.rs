//! Who is in an encoded slice, and since when: nothing else of it is decoded.

use super::accumulator::Parts;
use super::parts::EdgeEnds;
use super::wire::{Field, Malformed, Reader, narrow};
use super::{MergeError, accumulator};

/// The nodes and edges of a slice, in its order.
#[derive(Debug)]
pub struct Sightings<'a> {
    /// Ids, with the first second of each.
    pub nodes: Vec<(&'a str, u64)>,
    /// Places of client and server among the nodes, connection type, and the first second.
    pub edges: Vec<([u32; 3], u64)>,
}

/// Reads them in place. Costs a tenth of decoding it all.
pub fn sightings(slice: &[u8]) -> Result<Sightings<'_>, MergeError> {
    read(slice).map_err(accumulator::refused)
}

fn read(slice: &[u8]) -> Result<Sightings<'_>, Malformed> {
    let parts = Parts::read(slice, 0)?;
    let node = |message: &&[u8]| {
        let mut reader = Reader::new(message);
        let id = parts
            .strings
            .get(narrow(reader.number_if_next(1)?)? as usize);
        let id = id.ok_or(Malformed("a string reference is out of range"))?;
        let id = str::from_utf8(id).map_err(|_| Malformed("an id is not UTF-8"))?;
        Ok((id, number(reader, 14)?))
    };
    let nodes: Vec<_> = parts.nodes.iter().map(node).collect::<Result<_, _>>()?;
    let edge = |message: &&[u8]| {
        let mut reader = Reader::new(message);
        let EdgeEnds {
            client,
            server,
            kind,
        } = EdgeEnds::read(&mut reader)?;
        if client.max(server) as usize >= nodes.len() {
            return Err(Malformed("an edge's end lies outside the nodes"));
        }
        Ok(([client, server, kind], number(reader, 19)?))
    };
    let edges = parts.edges.iter().map(edge).collect::<Result<_, _>>()?;
    Ok(Sightings { nodes, edges })
}

/// The value of field `wanted`; 0, as proto3 leaves zeros out, where there is none.
fn number(mut reader: Reader<'_>, wanted: u32) -> Result<u64, Malformed> {
    while let Some(field) = reader.field()? {
        match field {
            Field::Number(number, value) if number == wanted => return Ok(value),
            Field::Number(..) | Field::Bytes(..) => {}
        }
    }
    Ok(0)
}
