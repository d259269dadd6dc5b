//! One link as plain data and back: on its way to the span it names, or kept beside it.

use super::names::{Ids, Names};
use super::{Bounds, Unreadable, halves, spans, trace_id};
use crate::pairing::probe::{LinkProbe, Linker, Target};
use crate::pairing::probes::{Probes, State};
use crate::pairing::record::Flags;
use crate::pairing::shard::Shard;
use crate::proto::{self, LinkState};
use crate::span::Weight;

// === impl Shard ===

impl Shard {
    /// Visits all links that this shard holds.
    pub(super) fn each_link(&self, names: &mut Names, mut visit: impl FnMut(proto::WaitingLink)) {
        for probe in &self.probes.outbox {
            visit(write(probe, LinkState::Asked, false, names));
        }
        self.probes.each(|probe, state, woken| {
            let state = match state {
                State::Open => LinkState::Open,
                State::Missed => LinkState::Missed,
                State::Done => LinkState::Done,
                State::Gone => return,
            };
            visit(write(probe, state, woken, names));
        });
    }
}

// === impl Probes ===

impl Probes {
    /// Visits every link that is kept, and says whether the span it names arrived since the last exchange.
    fn each(&self, mut visit: impl FnMut(&LinkProbe, State, bool)) {
        for head in self.heads() {
            let mut at = head;
            while let Some(kept) = self.at(at) {
                let woken = self.woken.contains(&kept.probe.target);
                visit(&kept.probe, kept.state, woken);
                at = kept.next;
            }
        }
    }

    /// Takes a kept link back, as of the open `tick`.
    pub(super) fn take_back(&mut self, probe: LinkProbe, state: State, woken: bool, tick: u32) {
        let id = self.insert_again(probe, tick);
        if state != State::Open {
            self.settle(id, state);
        }
        if woken {
            self.woken.insert(probe.target);
        }
    }
}

fn write(
    probe: &LinkProbe,
    state: LinkState,
    woken: bool,
    names: &mut Names,
) -> proto::WaitingLink {
    let LinkProbe { target, from } = *probe;
    let Linker {
        trace,
        span,
        start_ns,
        service,
        topic,
        arrived,
        deadline,
        weight,
        status,
        mut flags,
    } = from;
    // Whether its parent had come when it asked: nothing to the link, and a matter of order inside the second.
    flags.clear(Flags::INSIDE);
    let (target_high, target_low) = halves(target.trace);
    let (trace_high, trace_low) = halves(trace);
    proto::WaitingLink {
        target_high,
        target_low,
        target_span: target.span,
        trace_high,
        trace_low,
        span,
        start_ns,
        service: names.node(service),
        topic_ref: names.topic(topic),
        arrived,
        deadline,
        protocol: status.protocol as u32,
        status_code: status.code.into(),
        flags: flags.whole(),
        state: state.into(),
        weight: weight.fixed(),
        woken,
    }
}

/// A link back, and how far it had come; `None` when it was not brought to the linked span yet.
pub(super) fn read(
    link: &proto::WaitingLink,
    ids: &Ids,
    bounds: &Bounds,
) -> Result<(LinkProbe, Option<State>), Unreadable> {
    let state = match LinkState::try_from(link.state) {
        Ok(LinkState::Asked) => None,
        Ok(LinkState::Open) => Some(State::Open),
        Ok(LinkState::Missed) => Some(State::Missed),
        Ok(LinkState::Done) => Some(State::Done),
        Err(_) => return Err(Unreadable("a link in no known state")),
    };
    if link.span == 0 || link.target_span == 0 {
        return Err(Unreadable("a link from or to no span"));
    }
    bounds.check(link.arrived, link.deadline)?;
    bounds.check_kept(link.deadline)?;
    let probe = LinkProbe {
        target: Target {
            trace: trace_id(link.target_high, link.target_low)?,
            span: link.target_span,
        },
        from: Linker {
            trace: trace_id(link.trace_high, link.trace_low)?,
            span: link.span,
            start_ns: link.start_ns,
            service: ids.node(link.service)?,
            topic: ids.topic(link.topic_ref)?,
            arrived: link.arrived,
            deadline: link.deadline,
            weight: Weight::of_fixed(link.weight),
            status: spans::status(link.protocol, link.status_code)?,
            flags: Flags::from_whole(link.flags),
        },
    };
    Ok((probe, state))
}
