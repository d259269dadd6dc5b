//! The key of one decided R5 group as plain data and back.

use super::names::{Ids, Names};
use super::{Bounds, Unreadable, halves, trace_id};
use crate::pairing::groups::Group;
use crate::pairing::shard::Shard;
use crate::proto;

// === impl Shard ===

impl Shard {
    /// Visits all decided groups of this shard's traces.
    pub(super) fn each_group(&self, names: &mut Names, mut visit: impl FnMut(proto::WaitingGroup)) {
        self.groups.each(|group, until| {
            let Group {
                trace,
                parent,
                service,
            } = *group;
            let (trace_high, trace_low) = halves(trace);
            visit(proto::WaitingGroup {
                trace_high,
                trace_low,
                parent,
                service: names.node(service),
                until,
            });
        });
    }
}

/// The same back, and the last tick whose arrivals see it.
pub(super) fn read(
    group: &proto::WaitingGroup,
    ids: &Ids,
    bounds: &Bounds,
) -> Result<(Group, u32), Unreadable> {
    if group.parent == 0 {
        return Err(Unreadable("a service entry below no span"));
    }
    let key = Group {
        trace: trace_id(group.trace_high, group.trace_low)?,
        parent: group.parent,
        service: ids.node(group.service)?,
    };
    Ok((key, bounds.seen_until(group.until)?))
}
