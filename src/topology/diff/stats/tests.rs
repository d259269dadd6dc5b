//! Every test against its definition, worked out another way; levels held by drawing from one distribution.

use proptest::prelude::*;

use super::*;
use crate::proto::Histogram;

/// ln n!, summed.
fn ln_factorial(n: u64) -> f64 {
    (2..=n).map(|i| float(i).ln()).sum()
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// The two-sided p-value by its definition: everything no likelier than what was seen.
fn by_definition(probabilities: &[f64], seen: usize) -> f64 {
    let limit = probabilities[seen] * (1.0 + 1e-7);
    probabilities.iter().filter(|p| **p <= limit).sum()
}

fn fisher(base: Share, head: Share) -> f64 {
    let (n, hits) = (base.of + head.of, base.hits + head.hits);
    let (low, high) = (hits.saturating_sub(base.of), hits.min(head.of));
    let chance =
        |x: u64| (ln_choose(head.of, x) + ln_choose(base.of, hits - x) - ln_choose(n, hits)).exp();
    let all: Vec<f64> = (low..=high).map(chance).collect();
    by_definition(&all, usize::try_from(head.hits - low).unwrap())
}

fn binomial(base: Exposed, head: Exposed) -> f64 {
    let n = base.calls + head.calls;
    let share = head.time / (base.time + head.time);
    let chance = |x: u64| {
        (ln_choose(n, x) + float(x) * share.ln() + float(n - x) * (1.0 - share).ln()).exp()
    };
    let all: Vec<f64> = (0..=n).map(chance).collect();
    by_definition(&all, usize::try_from(head.calls).unwrap())
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 + 1e-7 * a.max(b)
}

fn share() -> impl Strategy<Value = Share> {
    (1_u64..200, 0_u64..=200).prop_map(|(of, hits)| Share {
        hits: hits % (of + 1),
        of,
    })
}

proptest! {
    #[test]
    fn shares_of_few_calls_are_fishers(base in share(), head in share()) {
        let p = shares_p(base, head).unwrap();
        prop_assert!(close(p, fisher(base, head)), "{p} {}", fisher(base, head));
        prop_assert!(close(p, shares_p(head, base).unwrap()), "swapped");
    }

    #[test]
    fn rates_of_few_calls_are_binomial(a in 0_u64..200, b in 1_u64..200, s in 1_u32..600, t in 1_u32..600) {
        let (base, head) = (
            Exposed { calls: a, time: f64::from(s) },
            Exposed { calls: b, time: f64::from(t) },
        );
        let p = rates_p(base, head).unwrap();
        prop_assert!(close(p, binomial(base, head)), "{p} {}", binomial(base, head));
        prop_assert!(close(p, rates_p(head, base).unwrap()), "swapped");
    }

    /// Guarantees: no counts, however large, give anything but a probability.
    #[test]
    fn every_p_is_one(a in any::<u64>(), b in any::<u64>(), k in any::<u64>(), l in any::<u64>(), t in 0.0..1e18, u in 0.0..1e18) {
        let of_shares = shares_p(Share { hits: k, of: a }, Share { hits: l, of: b });
        let of_rates = rates_p(Exposed { calls: a, time: t }, Exposed { calls: b, time: u });
        for p in [of_shares, of_rates].into_iter().flatten() {
            prop_assert!((LEAST_P..=1.0).contains(&p), "{p}");
        }
    }

    /// Guarantees: the binned distance is that of the samples at the bounds of buckets, so never above the true one,
    /// whatever the scales.
    #[test]
    fn the_distance_of_buckets_is_at_most_that_of_samples(
        a in prop::collection::vec(0_u64..5_000_000, 1..60),
        b in prop::collection::vec(0_u64..5_000_000, 1..60),
        scales in (-2_i32..6, -2_i32..6),
    ) {
        let found = distance(&of(&a, scales.0), &of(&b, scales.1)).unwrap().ks;
        let below = |samples: &[u64], x: u64| {
            float(samples.iter().filter(|s| **s <= x).count() as u64) / float(samples.len() as u64)
        };
        let apart = |x: &u64| (below(&a, *x) - below(&b, *x)).abs();
        let exact = a.iter().chain(&b).map(apart).fold(0.0, f64::max);
        prop_assert!(found <= exact + 1e-12, "{found} {exact}");
        let scale = scales.0.min(scales.1);
        let same = |x: u64, y: u64| index(x, scale) == index(y, scale);
        let inside = |x: &u64| [&a, &b].iter().all(|s| s.iter().all(|y| y <= x || !same(*x, *y)));
        let at_bounds = a.iter().chain(&b).filter(|x| inside(x)).map(apart).fold(0.0, f64::max);
        prop_assert!((found - at_bounds).abs() < 1e-12, "{found} {at_bounds}");
    }

    /// Guarantees: the slow calls are those in the buckets after the first that completes 19 in 20 of both windows.
    #[test]
    fn the_tail_is_compared_beyond_a_bound_of_both(
        a in prop::collection::vec(0_u64..5_000_000, 1..60),
        b in prop::collection::vec(0_u64..5_000_000, 1..60),
        scale in -2_i32..6,
    ) {
        let found = distance(&of(&a, scale), &of(&b, scale)).unwrap().slow_p;
        let mut all: Vec<i64> = a.iter().chain(&b).map(|x| index(*x, scale)).collect();
        all.sort_unstable();
        let bound = all[all.len() - all.len() / 20 - 1];
        let share = |samples: &[u64]| Share {
            hits: samples.iter().filter(|x| index(**x, scale) > bound).count() as u64,
            of: samples.len() as u64,
        };
        let expected = fisher(share(&a), share(&b));
        prop_assert!(close(found, expected), "{found} {expected}");
    }
}

/// The bucket of a duration by its definition; zeros before all.
fn index(ns: u64, scale: i32) -> i64 {
    if ns == 0 {
        return i64::MIN;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a small number")]
    let index = ((float(ns) / 1e9).log2() * f64::from(scale).exp2()).ceil() as i64;
    index - 1
}

fn of(samples: &[u64], scale: i32) -> Histogram {
    let indices = samples.iter().filter(|s| **s > 0).map(|s| index(*s, scale));
    let indices: Vec<i64> = indices.collect();
    let offset = indices.iter().min().copied().unwrap_or(0);
    let mut counts = Vec::new();
    for i in &indices {
        let slot = usize::try_from(i - offset).unwrap();
        counts.resize(counts.len().max(slot + 1), 0);
        counts[slot] += 1;
    }
    Histogram {
        scale,
        count: samples.len() as u64,
        zero_count: (samples.len() - indices.len()) as u64,
        offset: i32::try_from(offset).unwrap(),
        counts,
        ..Histogram::default()
    }
}

/// Guarantees: where the exact sums end and the normal approximation begins, the two say the same to a few per cent.
#[test]
fn exact_and_approximate_meet() {
    let (base, head) = (
        Exposed {
            calls: 4_900,
            time: 1.0,
        },
        Exposed {
            calls: 5_080,
            time: 1.0,
        },
    );
    let exact = rates_p(base, head).unwrap();
    let beyond = Exposed {
        calls: 5_080 + 42,
        time: 1.0,
    };
    let approximate = rates_p(
        Exposed {
            calls: 4_942,
            ..base
        },
        beyond,
    )
    .unwrap();
    assert!(
        (exact / approximate - 1.0).abs() < 0.05,
        "{exact} {approximate}"
    );
    let share = |hits| Share { hits, of: 100_000 };
    let exact = shares_p(share(4_900), share(5_080)).unwrap();
    let approximate = shares_p(share(5_600), share(5_790)).unwrap();
    assert!(
        (exact / approximate - 1.0).abs() < 0.1,
        "{exact} {approximate}"
    );
}

/// Tabulated quantiles of Kolmogorov's distribution (Smirnov 1948), by way of a distance with a known √n·D.
#[test]
fn the_tail_of_kolmogorov_is_the_tabulated_one() {
    for (lambda, tail) in [
        (1.22, 0.1019),
        (1.36, 0.0495),
        (1.63, 0.0098),
        (1.95, 0.0010),
        (0.83, 0.4963),
        (0.5, 0.9639),
    ] {
        let n: u64 = 20_000_000;
        let many = |far: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "below n"
            )]
            let moved = (far * float(n)).round() as u64;
            Histogram {
                count: n,
                counts: vec![n - moved, moved],
                ..Histogram::default()
            }
        };
        let far = lambda / (float(n) / 2.0).sqrt();
        let p = distance(&many(0.2), &many(0.2 + far)).unwrap().ks_p;
        assert!((p - tail).abs() < 1e-4, "{lambda}: {p}");
    }
    let whole = |at| Histogram {
        count: 9,
        counts: vec![9],
        offset: at,
        ..Histogram::default()
    };
    assert!((distance(&whole(3), &whole(3)).unwrap().p() - 1.0).abs() < 1e-12);
    assert!((distance(&whole(3), &whole(4)).unwrap().ks - 1.0).abs() < 1e-12);
}

/// The worked example of the paper: fifteen p-values, of which four are found at 0.05.
#[test]
fn the_example_of_benjamini_and_hochberg_finds_four() {
    let ps = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0,
    ];
    let mut shuffled = ps.to_vec();
    shuffled.reverse();
    let adjusted = adjusted(&shuffled);
    let found: Vec<f64> = shuffled
        .iter()
        .zip(adjusted)
        .filter(|(_, a)| *a <= 0.05)
        .map(|(p, _)| *p)
        .collect();
    assert_eq!(found, [0.0095, 0.0019, 0.0004, 0.0001]);
    assert!(super::adjusted(&[]).is_empty());
}
