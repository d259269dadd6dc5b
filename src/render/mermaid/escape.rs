//! Names inside Mermaid's quoted labels.

use std::fmt::Write as _;

use crate::render::text::{shortened, visible, with_plainness};

/// Sequences that Mermaid reads even after entities were resolved: icons, formulas, and what it writes for an entity
/// itself. An invisible joiner inside keeps them text.
const READ_ANYWAY: [(&str, &str); 4] = [
    ("$$", "$\u{2060}$"),
    (":fa-", ":\u{2060}fa-"),
    ("\u{FB02}\u{B0}", "\u{FB02}\u{2060}\u{B0}"),
    ("\u{B6}\u{DF}", "\u{B6}\u{2060}\u{DF}"),
];

/// A name as label text: at most [`crate::render::text::MAX_LABEL`] characters, unprintables visible, punctuation as
/// `#46;`.
pub(super) fn escaped(name: &str) -> String {
    let mut name = visible(&shortened(name));
    for (read, inert) in READ_ANYWAY {
        // Again, for a row of them: what was between two is now at an end.
        while name.contains(read) {
            name = name.replace(read, inert);
        }
    }
    let mut out = String::with_capacity(name.len() + 8);
    for (c, plain) in with_plainness(&name) {
        if plain {
            out.push(c);
        } else {
            write!(out, "#{};", u32::from(c)).expect("writing to a string cannot fail");
        }
    }
    out
}
