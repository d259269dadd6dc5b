//! Numbers and names as text for people, and the characters that never reach a terminal or a picture as they are.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use crate::topology::Hidden;

/// Most characters without a width after one that has some: enough for any orthography, too few for a tower.
const MAX_MARKS: usize = 2;

/// Rounded to nine significant digits: far finer than any estimate here, and half as long in a body.
pub(super) fn significant(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the magnitude of a finite double is within ±324"
    )]
    let magnitude = value.abs().log10().floor() as i32;
    let digits = 8 - magnitude;
    if !(-22..=22).contains(&digits) {
        return value;
    }
    // Powers of ten up to 10^22 are exact, so the result is the double nearest to the decimal.
    let power = 10_f64.powi(digits.abs());
    if digits >= 0 {
        (value * power).round() / power
    } else {
        (value / power).round() * power
    }
}

/// `ns` divided by 10^`places`, as the double nearest to the exact decimal.
#[expect(
    clippy::cast_precision_loss,
    reason = "durations below 2^53 ns, about 104 days, are exact"
)]
pub(super) fn decimals(ns: u64, places: i32) -> f64 {
    ns as f64 / 10_f64.powi(places)
}

/// `42/s`, `9.5/s`, `0.012/s`.
pub(crate) fn rate(per_s: f64) -> String {
    format!("{}/s", short(per_s))
}

/// `6.2%`, `0.10%`.
pub(crate) fn percent(ratio: f64) -> String {
    format!("{}%", short(ratio * 100.0))
}

/// `0.52 ms`, `120 ms`, `1.2 s`.
pub(crate) fn duration_ms(ms: f64) -> String {
    if ms < 1_000.0 {
        format!("{} ms", short(ms))
    } else {
        format!("{} s", short(ms / 1_000.0))
    }
}

/// `hidden by filters: 12 nodes, 40 edges, 210 calls`; nothing when nothing is.
pub(super) fn hidden(hidden: Hidden) -> Option<String> {
    hidden_words([hidden.nodes, hidden.edges, hidden.calls])
}

/// The same of the numbers of nodes, edges and calls.
pub(crate) fn hidden_words(counts: [u64; 3]) -> Option<String> {
    let any = counts.iter().any(|count| *count > 0);
    any.then(|| format!("hidden by filters: {}", hidden_counts(counts)))
}

/// `12 nodes, 40 edges, 210 calls`.
pub(super) fn hidden_counts(counts: [u64; 3]) -> String {
    let words = counts.iter().zip(["node", "edge", "call"]);
    let words = words.map(|(n, word)| format!("{n} {word}{}", if *n == 1 { "" } else { "s" }));
    words.collect::<Vec<_>>().join(", ")
}

/// Two significant digits below 10, none after the point from there on.
fn short(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        v if v >= 9.95 => format!("{v:.0}"),
        v if v >= 0.995 => format!("{v:.1}"),
        v if v >= 0.0995 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}

/// Whether a character must not reach a reader's screen as it is: controls, direction overrides, invisible characters,
/// line separators, and what XML forbids. Joiners stay, since emoji are made of them.
pub(super) fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0x061C | 0x200B | 0x200E..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB
                | 0xFFFE..=0xFFFF
        )
}

/// Characters of a name shown in a label; Graphviz refuses strings above 16 KiB, and nobody reads a longer one.
pub(super) const MAX_LABEL: usize = 256;

/// Characters of a wrong value that are repeated: enough to find it, too few to fill a log.
const MAX_ECHO: usize = 64;

/// At most [`MAX_LABEL`] characters of a name; a cut one ends with `…`.
pub(super) fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_LABEL) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}

/// Each character of a name with whether it may be left as it is in a language where punctuation means something:
/// letters, digits and spaces, whatever is not ASCII, and `-`, `.` and `_` where they stand between letters or digits,
/// as in most names.
pub(super) fn with_plainness(name: &str) -> impl Iterator<Item = (char, bool)> {
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    name.char_indices().map(move |(at, c)| {
        let joins = || {
            let before = at
                .checked_sub(1)
                .and_then(|before| name.as_bytes().get(before));
            word(before) && word(name.as_bytes().get(at + 1))
        };
        let plain = !c.is_ascii_punctuation() || (matches!(c, '-' | '.' | '_') && joins());
        (c, plain)
    })
}

/// The name with every hostile character made visible, as by [`shown_where`].
pub(crate) fn visible(name: &str) -> String {
    shown_where(name, hostile)
}

/// What somebody sent, repeated to them: at most [`MAX_ECHO`] characters of it, none that acts on a screen.
pub(crate) fn echoed(text: &str) -> String {
    match text.char_indices().nth(MAX_ECHO) {
        Some((end, _)) => format!("{}…", visible(&text[..end])),
        None => visible(text),
    }
}

/// The name with the `hidden` characters made visible: control pictures for C0 and DEL, else `⟨U+202E⟩`.
pub(super) fn shown_where(name: &str, hidden: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match u32::from(c) {
            _ if !hidden(c) => out.push(c),
            code @ 0..=0x1F => out.extend(char::from_u32(0x2400 + code)),
            0x7F => out.push('\u{2421}'),
            code => write!(out, "⟨U+{code:04X}⟩").expect("writing to a string cannot fail"),
        }
    }
    out
}

/// The characters of a name that are drawn, hostile ones made visible, each with the columns a terminal gives it.
/// Whatever would change how its neighbours are drawn (joiners, variation selectors, piles of marks) is left out.
pub(crate) fn drawn(name: &str) -> impl Iterator<Item = (char, usize)> {
    let shown: Vec<char> = visible(name).chars().collect();
    let mut marks = 0;
    shown.into_iter().filter_map(move |c| {
        let width = c.width().unwrap_or(0);
        if width > 0 {
            marks = 0;
            return Some((c, width));
        }
        marks += 1;
        (marks <= MAX_MARKS && !is_joiner(c)).then_some((c, 0))
    })
}

/// Characters that change how wide their neighbours are drawn, in some places: joiners, variation selectors, tags.
fn is_joiner(c: char) -> bool {
    matches!(
        u32::from(c),
        0x034F | 0x200C..=0x200D | 0xFE00..=0xFE0F | 0xE0000..=0xE0FFF
    )
}
