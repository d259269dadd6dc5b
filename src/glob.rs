//! Globs: `*` stands for any run of characters, in names of nodes for any but `/`.
//! Used by the read side to choose nodes and by the write side to ignore spans; belongs to neither arm.

/// A compiled glob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob {
    source: String,
}

// === impl Glob ===

impl Glob {
    /// Any non-empty text is a glob.
    pub fn new(source: &str) -> Option<Self> {
        (!source.is_empty()).then(|| Self {
            source: source.to_owned(),
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the name of a node matches as a whole. A star never crosses `/`, so the segments match one by one.
    pub fn matches(&self, text: &str) -> bool {
        let mut texts = text.split('/');
        let mut patterns = self.source.split('/');
        loop {
            match (patterns.next(), texts.next()) {
                (None, None) => return true,
                (Some(pattern), Some(text)) if segment(pattern, text) => {}
                _ => return false,
            }
        }
    }

    /// Whether a text in which `/` means nothing matches as a whole: a star crosses it.
    pub fn matches_text(&self, text: &str) -> bool {
        segment(&self.source, text)
    }
}

/// Matches in one pass: each piece between stars is taken where it first fits.
fn segment(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return text.ends_with(piece);
        }
        match text.find(piece) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, by trying every expansion.
    fn naive(pattern: &[u8], text: &[u8], wall: Option<u8>) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', more)), _) if naive(more, text, wall) => true,
            (Some((b'*', _)), Some((t, rest))) => Some(*t) != wall && naive(pattern, rest, wall),
            (Some((p, more)), Some((t, rest))) => p == t && naive(more, rest, wall),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_glob_matches_what_its_definition_says(pattern in "[ab/*]{1,8}", text in "[ab/]{0,8}") {
            let glob = Glob::new(&pattern).unwrap();
            let naive = |wall| naive(pattern.as_bytes(), text.as_bytes(), wall);
            prop_assert_eq!(glob.matches(&text), naive(Some(b'/')));
            prop_assert_eq!(glob.matches_text(&text), naive(None));
        }
    }

    #[test]
    fn a_star_does_not_cross_a_slash() {
        let star = Glob::new("*").unwrap();
        assert!(star.matches("web") && !star.matches("shop/web"));
        assert!(Glob::new("shop/*").unwrap().matches("shop/web"));
        assert!(star.matches_text("GET /health/live"));
    }
}
