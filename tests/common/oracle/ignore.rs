//! Ignore rules: which spans nobody wants to see.

use super::input::Span;

/// One rule; what it does not say may be anything. Service and span name are globs, in which `*` stands for any run of
/// characters; so is the kind, in capitals or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignore {
    pub service: Option<String>,
    pub span_name: Option<String>,
    pub kind: Option<String>,
}

/// Whether a rule takes the span, all of whose parts it must match.
///
/// *Reading*: the service is its plain name, `unknown_service` where it has none; the kind is that after R0, in OTLP's
/// words.
pub(super) fn takes(rules: &[Ignore], span: &Span, service: &str, kind: &str) -> bool {
    let is = |glob: &Option<String>, text: &str| {
        glob.as_ref()
            .is_none_or(|glob| matches(glob.as_bytes(), text.as_bytes()))
    };
    let upper = |glob: &Option<String>| glob.as_ref().map(|glob| glob.to_ascii_uppercase());
    rules.iter().any(|rule| {
        is(&rule.service, service) && is(&rule.span_name, span.name) && is(&upper(&rule.kind), kind)
    })
}

/// Whether the glob matches the whole text.
fn matches(glob: &[u8], text: &[u8]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| matches(rest, &text[skip..])),
        Some((byte, rest)) => text
            .split_first()
            .is_some_and(|(first, text)| first == byte && matches(rest, text)),
    }
}
