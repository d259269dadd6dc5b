//! Globs as queries write them. Only `*` is special, and that is said where somebody seems to expect more: a filter that
//! silently matches nothing is as bad as one that silently matches all.

use crate::glob::Glob;

/// Most bytes: an id is shorter, each of its characters percent-encoded.
const MAX_BYTES: usize = 4_096;

/// Reads a glob over node ids or namespaces, or says what is wrong with it.
pub(super) fn pattern(text: &str) -> Result<Glob, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("is longer than {MAX_BYTES} bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err("no id has a control character: there it is percent-encoded".to_owned());
    }
    if let Some(bracket) = unbalanced(text) {
        let code = format!("{:X}", u32::from(bracket));
        return Err(format!(
            "only `*` is special in a glob, and this `{bracket}` has no partner; `%{code}`, in a URL `%25{code}`, is one in a name"
        ));
    }
    Glob::over_ids(text).ok_or_else(|| "must not be empty".to_owned())
}

/// The first bracket without a partner: half of a class or of alternatives, of which there are none here. A pair is as
/// good as any other characters, since names may have it.
fn unbalanced(text: &str) -> Option<char> {
    let mut open = Vec::new();
    for bracket in text.chars().filter(|c| "[]{}".contains(*c)) {
        match (bracket, open.last()) {
            (']', Some('[')) | ('}', Some('{')) => _ = open.pop(),
            (']' | '}', _) => return Some(bracket),
            _ => open.push(bracket),
        }
    }
    open.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_class_is_named() {
        for (text, found) in [
            ("web", None),
            ("web[0]", None),
            ("{a,b}/[c]", None),
            ("web-[ab", Some('[')),
            ("ab]", Some(']')),
            ("{a,b", Some('{')),
            ("[a}", Some('}')),
            ("][", Some(']')),
        ] {
            assert_eq!(unbalanced(text), found, "{text}");
            assert_eq!(pattern(text).is_err(), found.is_some(), "{text}");
        }
    }

    #[test]
    fn what_can_match_nothing_is_refused() {
        assert!(pattern("").is_err());
        assert!(pattern("web\n").is_err());
        assert!(pattern(&"x".repeat(MAX_BYTES + 1)).is_err());
        assert!(pattern(&"*".repeat(MAX_BYTES)).is_ok());
        assert!(
            pattern("größe?").unwrap().matches("größe?"),
            "? is no wildcard"
        );
    }

    #[test]
    fn what_a_refusal_says_to_write_is_taken_and_means_the_bracket() {
        for bracket in ["[", "]", "{", "}"] {
            let reason = pattern(bracket).unwrap_err();
            let code = reason.split('`').nth(5).unwrap();
            let glob = pattern(code).unwrap();
            assert!(glob.matches(bracket), "{reason}");
        }
    }
}
