//! Text of identities: node ids are in the slice; edge ids and group ids are made here.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// First 16 hex digits of SHA-256(client id, 0, server id, 0, connection type): equal on every replica.
pub fn edge_id(client: &str, server: &str, connection_type: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(client);
    hash.update([0]);
    hash.update(server);
    hash.update([0]);
    hash.update(connection_type);
    hex(&hash.finalize()[..8])
}

/// A name as it stands in a node id: `%`, `/`, `:`, `;`, `=` and control characters percent-encoded.
pub fn encode_component(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_control() || matches!(c, '%' | '/' | ':' | ';' | '=') {
            percent(c, &mut out);
        } else {
            out.push(c);
        }
    }
    out
}

/// Appends the percent-encoded UTF-8 bytes of `c`.
pub fn percent(c: char, out: &mut String) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        write!(out, "%{byte:02X}").expect("writing to a string cannot fail");
    }
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    // Not `write!`, which costs as much as the hash that is shown: this is done for every edge of an answer.
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}
