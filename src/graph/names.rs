//! Node ids as text: `checkout`, `shop/checkout`, `shop/checkout;cluster=a`, `database:orders-db`, `overflow:overflow`.
//!
//! The text is the node's identity on every replica and in every slice. Characters with a meaning inside it are
//! percent-encoded in the parts, so different (type, namespace, name) never share a text.

use crate::proto::NodeType;

/// Longest name or namespace kept, in bytes; more is cut on a character boundary.
pub const MAX_NAME_BYTES: usize = 256;

/// Appends the id of a node to `out`. An empty namespace is none.
pub(super) fn write_id(out: &mut String, kind: NodeType, namespace: Option<&str>, name: &str) {
    out.push_str(prefix(kind));
    if let Some(namespace) = namespace.filter(|n| !n.is_empty()) {
        encode(out, clip(namespace));
        out.push('/');
    }
    encode(out, clip(name));
}

/// Appends `;key=value` for each of these, sorted, values cut to [`MAX_NAME_BYTES`]; returns them so.
pub(super) fn write_dimensions<'a>(
    out: &mut String,
    dimensions: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut sorted: Vec<_> = dimensions.iter().map(|(k, v)| (*k, clip(v))).collect();
    sorted.sort_unstable();
    for (key, value) in &sorted {
        out.push(';');
        encode(out, key);
        out.push('=');
        encode(out, value);
    }
    sorted
}

/// `text`, cut to [`MAX_NAME_BYTES`].
pub(super) fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME_BYTES)]
}

fn prefix(kind: NodeType) -> &'static str {
    match kind {
        NodeType::Service => "",
        NodeType::Database => "database:",
        NodeType::Messaging => "messaging:",
        NodeType::External => "external:",
        NodeType::User => "user:",
        NodeType::Overflow => "overflow:",
    }
}

fn encode(out: &mut String, part: &str) {
    // Most names hold nothing to encode and are copied whole.
    if !part.chars().any(is_special) {
        out.push_str(part);
        return;
    }
    for c in part.chars() {
        if is_special(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                out.push('%');
                out.push(hex(byte >> 4));
                out.push(hex(byte & 15));
            }
        } else {
            out.push(c);
        }
    }
}

fn is_special(c: char) -> bool {
    matches!(c, '%' | '/' | ':' | ';' | '=') || c.is_control()
}

fn hex(digit: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(digit & 15)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(kind: NodeType, namespace: Option<&str>, name: &str) -> String {
        let mut out = String::new();
        write_id(&mut out, kind, namespace, name);
        out
    }

    #[test]
    fn ids_read_as_the_design_names_them() {
        assert_eq!(id(NodeType::Service, None, "checkout"), "checkout");
        assert_eq!(id(NodeType::Service, Some(""), "checkout"), "checkout");
        assert_eq!(
            id(NodeType::Service, Some("shop"), "checkout"),
            "shop/checkout"
        );
        assert_eq!(
            id(NodeType::Database, None, "orders-db"),
            "database:orders-db"
        );
        assert_eq!(
            id(NodeType::External, None, "api.stripe.com:8443"),
            "external:api.stripe.com%3A8443"
        );
        assert_eq!(id(NodeType::User, None, "user"), "user:user");
    }

    #[test]
    fn characters_with_a_meaning_are_encoded_so_that_different_nodes_never_share_an_id() {
        assert_eq!(id(NodeType::Service, None, "a/b"), "a%2Fb");
        assert_ne!(
            id(NodeType::Service, None, "a/b"),
            id(NodeType::Service, Some("a"), "b")
        );
        assert_eq!(
            id(NodeType::Service, None, "database:x;k=v%"),
            "database%3Ax%3Bk%3Dv%25"
        );
        assert_eq!(
            id(NodeType::Service, None, "tab\tnel\u{85}ü"),
            "tab%09nel%C2%85ü"
        );
    }

    #[test]
    fn dimensions_are_sorted_and_encoded() {
        let mut out = String::from("shop/a");
        let sorted = write_dimensions(&mut out, &[("b", "2;=%"), ("a", "1")]);
        assert_eq!(out, "shop/a;a=1;b=2%3B%3D%25");
        assert_eq!(sorted, [("a", "1"), ("b", "2;=%")]);
        let mut plain = String::from("a");
        assert!(write_dimensions(&mut plain, &[]).is_empty() && plain == "a");
    }

    #[test]
    fn long_names_are_cut_on_a_character_boundary() {
        let long = format!("{}üü", "a".repeat(255));
        assert_eq!(id(NodeType::Service, None, &long), "a".repeat(255));
    }
}
