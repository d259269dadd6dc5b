//! Whether a span has a callee, as far as what had arrived by a second tells (R9).

use spangraph::span::Side;

use super::links;
use super::view::{At, Parent, Then, World};

/// Whether a callee that had arrived has `x` as its caller, of all that had arrived.
///
/// *Reading*: "by what had arrived" leaves open what else a callee may still find until its own deadline, so that is not
/// asked: neither whether it will have calls by links, for which its parent is not used, nor whether it will give way, to
/// one who then is a callee of `x` as well. An inbound span that hands the call on in its service (R4) matches it: its
/// transport is no more a call than it is itself.
pub(super) fn has_callee(world: &World<'_>, x: At, then: Then) -> bool {
    let arrived = world
        .all()
        .filter(|y| world.spans[*y].arrival <= then.arrived_by);
    let mut callees = arrived.filter(|y| {
        let sees = Then {
            since: then.since.max(world.spans[*y].arrival),
            ..then
        };
        is_below(world, *y, x, sees, then) || is_linked(world, *y, x, sees, then)
    });
    callees.next().is_some()
}

fn is_below(world: &World<'_>, y: At, x: At, sees: Then, then: Then) -> bool {
    let (span, above) = (&world.spans[y], &world.spans[x]);
    let own = span.service == above.service;
    let may_be_called = match span.side {
        Side::In => !own || !(above.receives() || above.settles()),
        Side::Out | Side::None => !own && !span.settles(),
    };
    let seen = span.trace == above.trace && span.remembered >= then.since;
    seen && may_be_called && world.parent(y, sees) == Parent::Is(x)
}

fn is_linked(world: &World<'_>, y: At, x: At, sees: Then, then: Then) -> bool {
    let (trace, id) = (world.spans[x].trace, world.spans[x].id);
    let contexts = world.with_id(trace, id, sees);
    links::counts(world, y)
        && world.spans[y].links.contains(&(trace, id))
        && links::remembered(world, y) >= then.since
        && links::creator(world, y, &contexts) == Some(x)
}
