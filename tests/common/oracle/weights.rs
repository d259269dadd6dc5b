//! How many calls one sampled call stands for (R14).

use super::input::Span;

/// Fixed point: one call.
const ONE: u64 = 1 << 20;

/// The weight of a span, in fixed point.
///
/// *Reading*: where both say something, the tracestate does: samplers write it, an attribute is what somebody set up.
/// The attribute is the probability itself, as in Tempo's `span_multiplier_key`; what is no probability (0, negative,
/// beyond 1) says nothing.
pub(super) fn of_span(span: &Span) -> u64 {
    let probability = threshold(&span.tracestate)
        .map(|rejected| 1.0 - rejected)
        .or(span.ratio.filter(|ratio| *ratio > 0.0 && *ratio <= 1.0));
    probability.map_or(ONE, fixed)
}

/// 1/p, to the nearest 2^-20.
///
/// *Reading*: no call stands for more than 2^20, whatever is said.
fn fixed(probability: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates"
    )]
    let weight = (1_048_576.0 / probability).round() as u64;
    weight.min(ONE << 20)
}

/// The share of traces that was rejected: T / 2^56, of `ot=…th:T`.
fn threshold(tracestate: &str) -> Option<f64> {
    let ours = tracestate
        .split(',')
        .find_map(|entry| entry.trim().strip_prefix("ot="))?;
    let digits = ours
        .split(';')
        .find_map(|member| member.strip_prefix("th:"))?;
    let is_digit = |digit: char| digit.is_ascii_digit() || ('a'..='f').contains(&digit);
    if digits.is_empty() || digits.len() > 14 || !digits.chars().all(is_digit) {
        return None;
    }
    let whole = u64::from_str_radix(&format!("{digits:0<14}"), 16).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "53 bits of 56 are plenty")]
    let share = whole as f64 / 2_f64.powi(56);
    Some(share)
}
