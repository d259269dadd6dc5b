//! Many tests at once.

use super::float;

/// P-values adjusted after Benjamini and Hochberg (*Controlling the false discovery rate*, J. R. Statist. Soc. B 57,
/// 1995), in the order given: those at or below a level are a list of which at most that share is expected to be
/// chance, and when nothing changed at all, the list is empty but for that share of comparisons. Holds for independent
/// tests and for the positive dependence between an edge and its ends. (Holm's, which needs no such thing, asks for
/// 10^-6 in a graph of 3,000 edges, and so would see small services only when they break down.)
pub(in crate::topology::diff) fn adjusted(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*b].total_cmp(&ps[*a]));
    let many = ps.len() as u64;
    let mut adjusted = vec![1.0; ps.len()];
    let mut least: f64 = 1.0;
    // From the largest, which has rank m, to the smallest, which has rank 1.
    for (rank, position) in (1..=many).rev().zip(order) {
        least = least.min(ps[position] * float(many) / float(rank));
        adjusted[position] = least;
    }
    adjusted
}
