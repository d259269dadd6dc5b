//! Globs: `*` stands for any run of characters, in names of nodes for any but `/`.
//! Used by the read side to choose nodes and by the write side to ignore spans; belongs to neither arm.

use std::borrow::Cow;

/// A compiled glob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob {
    source: String,
    /// Whether [`LITERALS`] count.
    over_ids: bool,
}

/// What means a character itself in a glob over ids, where it would be special or is refused. No id holds any of these:
/// of its own characters none is encoded, and a `%` always is.
const LITERALS: [(&str, &str); 10] = [
    ("%2A", "*"),
    ("%2a", "*"),
    ("%5B", "["),
    ("%5b", "["),
    ("%5D", "]"),
    ("%5d", "]"),
    ("%7B", "{"),
    ("%7b", "{"),
    ("%7D", "}"),
    ("%7d", "}"),
];

// === impl Glob ===

impl Glob {
    /// Any non-empty text is a glob.
    pub fn new(source: &str) -> Option<Self> {
        (!source.is_empty()).then(|| Self {
            source: source.to_owned(),
            over_ids: false,
        })
    }

    /// The same over ids of nodes: `%2A` is a star in a name, and `%5B %5D %7B %7D` are brackets in it.
    pub fn over_ids(source: &str) -> Option<Self> {
        let glob = Self::new(source)?;
        Some(Self {
            over_ids: true,
            ..glob
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
                (Some(pattern), Some(text)) if self.segment(pattern, text) => {}
                _ => return false,
            }
        }
    }

    /// Whether a text in which `/` means nothing matches as a whole: a star crosses it.
    pub fn matches_text(&self, text: &str) -> bool {
        self.segment(&self.source, text)
    }

    /// Matches in one pass: each piece between stars is taken where it first fits.
    fn segment(&self, pattern: &str, text: &str) -> bool {
        let Some((head, rest)) = pattern.split_once('*') else {
            return self.literal(pattern) == text;
        };
        let Some(mut text) = text.strip_prefix(&*self.literal(head)) else {
            return false;
        };
        let mut pieces = rest.split('*').peekable();
        while let Some(piece) = pieces.next() {
            let piece = self.literal(piece);
            if pieces.peek().is_none() {
                return text.ends_with(&*piece);
            }
            match text.find(&*piece) {
                Some(at) => text = &text[at + piece.len()..],
                None => return false,
            }
        }
        true
    }

    /// What a piece without a star matches.
    fn literal<'a>(&self, piece: &'a str) -> Cow<'a, str> {
        if !self.over_ids || !piece.contains('%') {
            return Cow::Borrowed(piece);
        }
        let all = LITERALS.into_iter();
        Cow::Owned(all.fold(piece.to_owned(), |piece, (code, c)| piece.replace(code, c)))
    }
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

    /// What of a pattern is special: `None` is a star.
    fn written(pattern: &[Option<char>]) -> String {
        let one = |c: &Option<char>| match c {
            None => "*".to_owned(),
            Some(c) if "*[]{}".contains(*c) => format!("%{:02X}", u32::from(*c)),
            Some(c) => c.to_string(),
        };
        pattern.iter().map(one).collect()
    }

    /// The definition over characters of which some are special.
    fn fits(pattern: &[Option<char>], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((None, more)), _) if fits(more, text) => true,
            (Some((None, _)), Some((t, rest))) => *t != '/' && fits(pattern, rest),
            (Some((Some(p), more)), Some((t, rest))) => p == t && fits(more, rest),
            _ => false,
        }
    }

    fn character() -> impl Strategy<Value = char> {
        prop::sample::select("a*[]{}/%".chars().collect::<Vec<_>>())
    }

    proptest! {
        /// Guarantees: a name of stars and brackets is matched by what is written for it, and by that alone.
        #[test]
        fn a_glob_over_ids_can_mean_stars_and_brackets_themselves(
            pattern in prop::collection::vec(prop::option::weighted(0.8, character()), 1..6),
            text in prop::collection::vec(character(), 0..6),
        ) {
            let glob = Glob::over_ids(&written(&pattern)).unwrap();
            prop_assert_eq!(glob.matches(&text.iter().collect::<String>()), fits(&pattern, &text));
        }
    }

    #[test]
    fn only_globs_over_ids_read_percent_encoding() {
        let (ids, texts) = (
            Glob::over_ids("%2a%5b").unwrap(),
            Glob::new("%2a%5b").unwrap(),
        );
        assert!(ids.matches("*[") && !ids.matches("%2a%5b"));
        assert!(texts.matches("%2a%5b") && !texts.matches("*["));
        assert!(Glob::over_ids("a%2Fb%25*").unwrap().matches("a%2Fb%25c"));
    }

    #[test]
    fn a_star_does_not_cross_a_slash() {
        let star = Glob::new("*").unwrap();
        assert!(star.matches("web") && !star.matches("shop/web"));
        assert!(Glob::new("shop/*").unwrap().matches("shop/web"));
        assert!(star.matches_text("GET /health/live"));
    }
}
