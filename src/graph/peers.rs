//! A peer's name and namespace in one interned text: the name, or the name, `\0`, the namespace, `\0`, and how many bytes
//! long that is.

use std::fmt::Write as _;

use super::names::clip;

const MARK: char = '\0';

/// Whether the name alone is the peer's text.
pub fn is_plain_peer(namespace: Option<&str>, name: &str) -> bool {
    namespace.is_none() && !name.contains(MARK)
}

/// Makes the text of a peer of `name`, with at most [`super::MAX_NAME_BYTES`] of the namespace.
pub fn join_peer(namespace: Option<&str>, name: &mut String) {
    if is_plain_peer(namespace, name) {
        return;
    }
    let namespace = clip(namespace.unwrap_or_default());
    write!(name, "{MARK}{namespace}{MARK}{}", namespace.len()).expect("a String takes everything");
}

/// The namespace, empty for none, and the name of a peer's text.
pub(super) fn split_peer(text: &str) -> (&str, &str) {
    let split = || {
        let (both, length) = text.rsplit_once(MARK)?;
        let at = both.len().checked_sub(length.parse().ok()?)?;
        let (name, namespace) = both.split_at_checked(at)?;
        Some((namespace, name.strip_suffix(MARK)?))
    };
    split().unwrap_or(("", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_comes_back_in_its_parts() {
        for (namespace, name) in [
            ("", "cart:80"),
            ("bank", "cart:80"),
            ("", "a\0b"),
            ("é\0", "\0"),
            ("\0op", "cart\u{0}3"),
            ("n", ""),
        ] {
            let mut text = name.to_owned();
            join_peer(Some(namespace).filter(|n| !n.is_empty()), &mut text);
            assert_eq!(split_peer(&text), (namespace, name));
        }
        for broken in ["a\0b", "a\0\u{0}7", "\0é\u{0}1"] {
            assert_eq!(split_peer(broken), ("", broken));
        }
    }
}
