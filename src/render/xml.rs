//! Text of strangers inside XML, for every format that is made of it.

use crate::topology::ident::percent;

/// Whether XML 1.0 cannot hold the character.
pub(super) fn forbidden(c: char) -> bool {
    matches!(u32::from(c), 0x00..=0x08 | 0x0B..=0x0C | 0x0E..=0x1F | 0xFFFE..=0xFFFF)
}

/// A node id, with what XML cannot hold percent-encoded as the slices encode controls.
pub(super) fn id(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for c in id.chars() {
        if forbidden(c) {
            percent(c, &mut out);
        } else {
            out.push(c);
        }
    }
    escaped(&out)
}

/// A text or a value, where what XML would fold into a space is a reference.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            _ => out.push(c),
        }
    }
    out
}
