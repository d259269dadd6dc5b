//! Where the nodes of one column stand, their order being settled: each as near as can be to where it would like to
//! be, no two closer than a step.

/// Positions of `wishes` in their order, `step` apart at least, within `lo..=hi`, with the least sum of squared
/// distances to the wishes. The room must suffice: `hi - lo >= step * (wishes - 1)`.
///
/// Taking a step off for each node before turns it into the search for the nearest ascending sequence, which pooling
/// neighbours that are out of order finds (isotonic regression, Ayer et al. 1955).
pub(super) fn spread(wishes: &[i32], step: i32, lo: i32, hi: i32) -> Vec<i32> {
    // Pools of neighbours that share a position: sum of wishes, number.
    let mut pools: Vec<(i64, i64)> = Vec::new();
    let mut before: i64 = 0;
    for wish in wishes {
        let mut pool = (i64::from(*wish) - before, 1);
        while let Some(last) = pools.pop_if(|last| mean(*last) >= mean(pool)) {
            pool = (pool.0 + last.0, pool.1 + last.1);
        }
        pools.push(pool);
        before += i64::from(step);
    }
    let (lo, hi) = (i64::from(lo), i64::from(hi) - (before - i64::from(step)));
    let mut places = Vec::with_capacity(wishes.len());
    let mut before: i64 = 0;
    for pool in pools {
        for _ in 0..pool.1 {
            let place = mean(pool).min(hi).max(lo) + before;
            places.push(i32::try_from(place).unwrap_or(i32::MAX));
            before += i64::from(step);
        }
    }
    places
}

fn mean((sum, number): (i64, i64)) -> i64 {
    sum.div_euclid(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whoever_has_room_stands_where_it_wishes() {
        assert_eq!(spread(&[0, 100, 300], 80, 0, 400), [0, 100, 300]);
        assert_eq!(spread(&[200, 200], 80, 0, 400), [160, 240]);
        assert_eq!(spread(&[-50, 900], 80, 0, 400), [0, 400]);
        assert_eq!(spread(&[], 80, 0, 0), Vec::<i32>::new());
    }

    fn squares(places: &[i32], wishes: &[i32]) -> i64 {
        let pairs = places.iter().zip(wishes);
        pairs.map(|(p, w)| i64::from(p - w).pow(2)).sum()
    }

    proptest! {
        /// Guarantees: apart, within bounds, and no single move of a run of neighbours is an improvement of note.
        #[test]
        fn no_shift_of_neighbours_brings_them_nearer(wishes in prop::collection::vec(-500_i32..1_500, 1..9)) {
            let (lo, hi) = (0, 80 * 12);
            let places = spread(&wishes, 80, lo, hi);
            let apart = |p: &[i32]| p.windows(2).all(|w| w[1] - w[0] >= 80) && p[0] >= lo && p[p.len() - 1] <= hi;
            prop_assert!(apart(&places), "{places:?}");
            for from in 0..places.len() {
                for to in from..places.len() {
                    for by in [-8, 8] {
                        let mut moved = places.clone();
                        moved[from..=to].iter_mut().for_each(|p| *p += by);
                        if apart(&moved) {
                            prop_assert!(squares(&moved, &wishes) >= squares(&places, &wishes), "{places:?} {moved:?}");
                        }
                    }
                }
            }
        }
    }
}
