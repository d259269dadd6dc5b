//! A peer's name and namespace in one interned text: the name, or the name, `\0` and the namespace.

use super::names::clip;

const MARK: char = '\0';

/// Whether the name alone is the peer's text.
pub fn is_plain_peer(namespace: Option<&str>, name: &str) -> bool {
    namespace.is_none() && !name.contains(MARK)
}

/// Makes the text of a peer of `name`. Of the namespace, what stands before a `\0` is kept, at most
/// [`super::MAX_NAME_BYTES`] of it.
pub fn join_peer(namespace: Option<&str>, name: &mut String) {
    if is_plain_peer(namespace, name) {
        return;
    }
    let namespace = namespace.and_then(|namespace| namespace.split(MARK).next());
    name.push(MARK);
    name.push_str(clip(namespace.unwrap_or_default()));
}

/// The namespace, empty for none, and the name of a peer's text.
pub(super) fn split_peer(text: &str) -> (&str, &str) {
    text.rsplit_once(MARK)
        .map_or(("", text), |(name, namespace)| (namespace, name))
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
            ("é", "\0"),
            ("n", ""),
        ] {
            let mut text = name.to_owned();
            join_peer(Some(namespace).filter(|n| !n.is_empty()), &mut text);
            assert_eq!(split_peer(&text), (namespace, name));
        }
    }
}
