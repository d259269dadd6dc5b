//! One span, waiting or remembered, as plain data and back. Fields are taken apart by name, so that a new one does not
//! build until it is written and read here.

use super::names::{Ids, Names};
use super::{Bounds, Unreadable};
use crate::graph::EdgeId;
use crate::pairing::charge::OnEdge as Charged;
use crate::pairing::record::{Flags, Record, Seen};
use crate::pairing::tomb::Tomb;
use crate::proto;
use crate::span::{CallStatus, Protocol, SpanKind, Weight};

/// Counts and weights up to here leave room to go on from.
const MOST_FAILING: u32 = 1 << 23;
const MOST_WEIGHTED: u64 = 1 << 62;

/// A waiting span and its calls so far. Which of its edges was charged first does not matter: all stand in one list, and
/// the flags that say so are left out.
pub(super) fn write(record: &Record, calls: &[Charged], names: &mut Names) -> proto::WaitingSpan {
    let Record {
        span,
        parent,
        start_ns,
        end_ns,
        service,
        peer,
        topic,
        address,
        name,
        arrived,
        deadline,
        edge: _,
        failing: _,
        weight,
        status,
        mut flags,
    } = *record;
    flags.clear(Flags::CHARGED);
    flags.clear(Flags::MANY_EDGES);
    let charged = calls.iter().map(|charged| proto::ChargedEdge {
        edge: names.edge(charged.edge),
        failing: charged.failing,
        weighted: charged.weighted,
        greatest: charged.greatest.fixed(),
    });
    let mut charged: Vec<_> = charged.collect();
    charged.sort_unstable();
    proto::WaitingSpan {
        span,
        parent,
        start_ns,
        end_ns,
        service: names.node(service),
        peer_ref: names.peer(peer),
        topic_ref: names.topic(topic),
        address_ref: names.address(address),
        name_ref: names.span_name(name),
        arrived,
        deadline,
        weight: weight.fixed(),
        protocol: status.protocol as u32,
        status_code: status.code.into(),
        flags: flags.whole(),
        charged,
    }
}

/// The same back.
pub(super) fn read(
    span: &proto::WaitingSpan,
    ids: &Ids,
    bounds: &Bounds,
) -> Result<(Record, Vec<Charged>), Unreadable> {
    let mut flags = Flags::from_whole(span.flags);
    if span.span == 0 || flags.kind() == SpanKind::Unspecified {
        return Err(Unreadable("a waiting span that is none"));
    }
    bounds.check(span.arrived, span.deadline)?;
    flags.clear(Flags::CHARGED);
    flags.clear(Flags::MANY_EDGES);
    let charged = |charged: &proto::ChargedEdge| {
        if charged.failing > MOST_FAILING || charged.weighted > MOST_WEIGHTED {
            return Err(Unreadable("more failing callees than fit in memory"));
        }
        Ok(Charged {
            edge: ids.edge(charged.edge)?,
            failing: charged.failing,
            weighted: charged.weighted,
            greatest: Weight::of_fixed(charged.greatest),
        })
    };
    let record = Record {
        span: span.span,
        parent: span.parent,
        start_ns: span.start_ns,
        end_ns: span.end_ns,
        service: ids.node(span.service)?,
        peer: ids.peer(span.peer_ref)?,
        topic: ids.topic(span.topic_ref)?,
        address: ids.address(span.address_ref)?,
        name: ids.span_name(span.name_ref)?,
        arrived: span.arrived,
        deadline: span.deadline,
        edge: EdgeId::OVERFLOW,
        failing: 0,
        weight: Weight::of_fixed(span.weight),
        status: status(span.protocol, span.status_code)?,
        flags,
    };
    Ok((
        record,
        span.charged.iter().map(charged).collect::<Result<_, _>>()?,
    ))
}

/// A remembered span.
pub(super) fn write_remembered(
    seen: &Seen,
    weight: Weight,
    names: &mut Names,
) -> proto::RememberedSpan {
    proto::RememberedSpan {
        span: seen.span,
        parent32: seen.parent32,
        start32: seen.start32,
        service: names.node(seen.service),
        arrived: seen.arrived,
        flags: seen.flags.whole(),
        weight: weight.fixed(),
    }
}

/// The same back.
pub(super) fn read_remembered(
    span: &proto::RememberedSpan,
    ids: &Ids,
    bounds: &Bounds,
) -> Result<(Tomb, Weight), Unreadable> {
    let flags = Flags::from_whole(span.flags);
    if span.span == 0 {
        return Err(Unreadable("a remembered span that is none"));
    }
    bounds.check(span.arrived, span.arrived)?;
    let ids32 = (span.span, span.parent32, span.start32);
    let tomb = Tomb::restored(ids32, span.arrived, ids.node(span.service)?, flags);
    Ok((tomb, Weight::of_fixed(span.weight)))
}

/// Protocol and status code.
pub(super) fn status(protocol: u32, code: u32) -> Result<CallStatus, Unreadable> {
    use Protocol::{Db, Grpc, Http, Messaging, Rpc, Unknown};
    let all = [Unknown, Http, Grpc, Rpc, Db, Messaging];
    let protocol = all.into_iter().find(|known| *known as u32 == protocol);
    match (protocol, u16::try_from(code)) {
        (Some(protocol), Ok(code)) => Ok(CallStatus { protocol, code }),
        _ => Err(Unreadable("a status that no span has")),
    }
}
