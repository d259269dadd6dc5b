//! Running totals against what they must equal: the topology of the same slices, built by the read side's own road.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;
use read_support::START;
use read_support::series::{
    MANY, NODES, Name, ROOM, calls, counted, expected, figures, possible, slice,
};
use spangraph::topology::series::Totals;

proptest! {
    /// Scenario: seconds of calls between nodes of every type; external nodes bear the names of services that may come
    /// later, and no two services share a name.
    /// Guarantees: after every second the series are exactly the edges of `/topology` over all of it.
    #[test]
    fn the_series_are_the_topology_of_all_history(seconds in calls(9)) {
        let nodes: Vec<&str> = NODES
            .into_iter()
            .filter(|id| !["ops/cart", "shop/cart;zone=a", "external:user"].contains(id))
            .collect();
        let totals = Totals::new(MANY, ROOM);
        let mut slices = Vec::new();
        for (second, drawn) in (0..).zip(&seconds) {
            slices.push(slice(second, &nodes, drawn));
            totals.add(&slices[slices.len() - 1].encode_to_vec(), START);
            prop_assert_eq!(counted(&totals), expected(&slices));
        }
    }

    /// Scenario: the same with services of one name, dimensions, and labels that stand for edges of several kinds.
    /// Guarantees: no counter goes back but by a new beginning, and no call is lost or counted twice.
    #[test]
    fn no_counter_goes_back(seconds in calls(NODES.len())) {
        let totals = Totals::new(MANY, ROOM);
        let (mut before, mut drawn_so_far) = (BTreeMap::new(), 0);
        for (second, drawn) in (0..).zip(&seconds) {
            totals.add(&slice(second, &NODES, drawn).encode_to_vec(), START);
            drawn_so_far += possible(drawn);
            let now: BTreeMap<_, _> = totals
                .snapshot()
                .iter()
                .map(|series| {
                    let (name, figures) = figures(series);
                    ((name, series.created_s), figures)
                })
                .collect();
            prop_assert_eq!(now.values().map(|f| f.0).sum::<u64>(), drawn_so_far);
            for (series, (calls, failed, samples)) in &now {
                let Some((old_calls, old_failed, old_samples)) = before.get(series) else { continue };
                prop_assert!(calls >= old_calls && failed >= old_failed, "{:?}", series);
                for (now, old) in samples.iter().zip(old_samples) {
                    prop_assert!(now >= old, "{:?}", series);
                }
            }
            before = now;
        }
    }

    /// Scenario: many more edges than places.
    /// Guarantees: never more series than places and the overflow, counters that stay do not go back, and with the
    /// series that ended counted up to their end every call is counted once.
    #[test]
    fn what_has_no_place_is_in_the_overflow(seconds in calls(NODES.len()), places in 1_usize..6) {
        let totals = Totals::new(places, ROOM);
        let (mut before, mut drawn_so_far, mut ended) = (BTreeMap::new(), 0, 0);
        for (second, drawn) in (0..).zip(&seconds) {
            totals.add(&slice(second, &NODES, drawn).encode_to_vec(), START);
            drawn_so_far += possible(drawn);
            let now = counted(&totals);
            let began: BTreeMap<Name, u64> =
                totals.snapshot().iter().map(|series| (figures(series).0, series.created_s)).collect();
            let named = now.keys().filter(|name| name.0 != "overflow").count();
            prop_assert!(named <= places && now.len() <= places + 1);
            prop_assert_eq!(totals.gauges().series, named as u64);
            ended += before.iter().filter(|(name, _)| !now.contains_key(*name)).map(|(_, calls)| *calls).sum::<u64>();
            // A service that shows itself takes the calls of its external twin with it: gone there, come here.
            let moved = now.values().map(|f| f.0).sum::<u64>() + ended - drawn_so_far;
            prop_assert!(moved <= ended);
            for (name, figures) in &now {
                let old = before.get(name);
                let goes_on = old.is_none_or(|old| *old <= figures.0);
                prop_assert!(goes_on || began[name] == START + second, "{:?}", name);
            }
            before = now.into_iter().map(|(name, figures)| (name, figures.0)).collect();
        }
    }
}
