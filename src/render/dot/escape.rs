//! Names inside DOT: as ids, and as text in labels.

use sha2::{Digest as _, Sha256};

use crate::render::text::{hostile, shortened, visible};
use crate::topology::ident::{hex, percent};

/// Bytes of an id; a longer one is cut and told apart by its hash.
const MAX_ID: usize = 2_048;

/// A quoted DOT id. Inside quotes Graphviz un-escapes only `\"`, and a backslash at the end would swallow the quote;
/// so neither character is ever there.
pub(super) fn quoted_id(id: &str) -> String {
    let mut out = String::with_capacity(id.len() + 2);
    out.push('"');
    for c in id.chars() {
        if matches!(c, '"' | '\\') || hostile(c) {
            percent(c, &mut out);
        } else {
            out.push(c);
        }
    }
    if out.len() > MAX_ID {
        out.truncate(out.floor_char_boundary(MAX_ID / 2));
        out.push('~');
        out.push_str(&hex(&Sha256::digest(id)[..8]));
    }
    out.push('"');
    out
}

/// A name inside a quoted escString: unprintables visible, then quotes, backslashes and entities escaped.
pub(super) fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len().min(MAX_ID) + 8);
    for c in visible(&shortened(name)).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            _ => out.push(c),
        }
    }
    out
}
