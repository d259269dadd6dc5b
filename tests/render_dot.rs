//! DOT, read back by a lexer of its own that follows Graphviz's grammar, and whole against a golden file.
//! `tests/external/dot_roundtrip.py` does the same with the real `dot`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::fmt::Write as _;

use proptest::prelude::*;
use read_support::{World, build, shop};
use spangraph::proto::{NodeType, Slice};
use spangraph::render::{Picture, dot};
use spangraph::topology::Params;

fn picture(raw: &str) -> Picture {
    let mut params = Params::decode(raw);
    let picture = Picture::take(&mut params);
    params.finish().unwrap();
    picture
}

fn drawn(slice: &Slice, look: &str) -> String {
    let mut out = String::new();
    dot::write(&build(slice, "").unwrap(), &picture(look), &mut out).unwrap();
    out
}

/// Tokens of a DOT text: punctuation, bare words, and quoted strings with only `\"` undone, as Graphviz does.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Mark(String),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
        } else if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if c == '"' {
            let (string, after) = quoted(&rest[1..]);
            out.push(Token::Quoted(string));
            rest = after;
        } else if rest.starts_with("->") {
            out.push(Token::Mark("->".to_owned()));
            rest = &rest[2..];
        } else if c.is_ascii_alphanumeric() || c == '_' || c == '.' {
            let word: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "_.".contains(*c))
                .collect();
            rest = &rest[word.len()..];
            out.push(Token::Word(word));
        } else {
            assert!("{}[]=,;".contains(c), "stray {c:?} before {rest:.40}");
            out.push(Token::Mark(c.to_string()));
            rest = &rest[1..];
        }
    }
    out
}

fn quoted(text: &str) -> (String, &str) {
    let mut string = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (string, &text[at + 1..]),
            '\\' if chars.peek().is_some_and(|next| next.1 == '"') => {
                chars.next();
                string.push('"');
            }
            // A pair of backslashes is read as a pair and stays one.
            '\\' if chars.peek().is_some_and(|next| next.1 == '\\') => {
                chars.next();
                string.push_str("\\\\");
            }
            '\\' if chars.peek().is_some_and(|next| next.1 == '\n') => {
                panic!("swallowed line break")
            }
            '\n' | '\0' => panic!("raw control character in {text:.40}"),
            _ => string.push(c),
        }
    }
    panic!("open string");
}

/// What Graphviz shows for an escString: entities and escapes undone.
fn shown(label: &str) -> String {
    let mut out = String::new();
    let mut chars = label.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('\\') => out.push('\\'),
                other => panic!("escape {other:?} in {label}"),
            },
            _ => out.push(c),
        }
    }
    assert!(
        !out.replace("&amp;", "").contains('&'),
        "open entity in {label}"
    );
    out.replace("&amp;", "&")
}

/// Node statements: (id, label as shown).
fn nodes(text: &str) -> Vec<(String, String)> {
    let t = tokens(text);
    let mark = |m: &str| Token::Mark(m.to_owned());
    t.windows(5)
        .filter_map(|w| match w {
            [
                Token::Quoted(id),
                open,
                Token::Word(word),
                equals,
                Token::Quoted(label),
            ] if *open == mark("[") && word == "label" && *equals == mark("=") => {
                Some((id.clone(), shown(label)))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn the_drawing_is_the_golden_one() {
    let got = drawn(&shop(), "");
    assert_eq!(got, include_str!("golden/topology.dot"), "got:\n{got}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Scenario: a service, its namespace and its id hold any text at all.
    /// Guarantees: the drawing has exactly its three nodes and one edge, ids free of quotes, backslashes and controls,
    /// and a label that shows every printable character of the name.
    #[test]
    fn any_name_stays_a_name(name in "\\PC{0,12}|[\"\\\\\n\r\t\0{}\\[\\];<>&/*#%NGETHLlr\u{202e}\u{7f}]{0,12}") {
        let mut w = World::new();
        let hostile = w.node(&format!("ns/{name}"), &name, &name, NodeType::Service);
        let (a, b) = (w.service("a"), w.service("b"));
        w.plain(a, hostile, 5);
        w.plain(hostile, b, 5);
        let text = drawn(&w.done(), "");
        let nodes = nodes(&text);
        prop_assert_eq!(nodes.len(), 3, "{}", text);
        prop_assert_eq!(tokens(&text).iter().filter(|t| **t == Token::Mark("->".to_owned())).count(), 2);
        let (id, label) = nodes.iter().find(|n| n.0.starts_with("ns/")).unwrap();
        let clean = !id.contains(['"', '\\']) && !id.contains(char::is_control);
        prop_assert!(clean);
        let first_line = label.rsplit_once('\n').map_or(label.as_str(), |(name, _)| name);
        let printable = |text: &str| text.chars().filter(|c| !c.is_control() && *c != '\u{202e}').collect::<String>();
        if name.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            prop_assert_eq!(first_line, &name);
        }
        prop_assert!(first_line.chars().count() >= printable(&name).chars().count());
        let inert = !first_line.contains(['\u{202e}', '\0', '\n']);
        prop_assert!(inert);
    }
}

/// Names that have broken drawings before: in quotes, in escapes, in markup, in scripts of two directions.
const HOSTILE: [&str; 24] = [
    "plain",
    "say \"hi\"",
    "back\\slash",
    "trailing\\",
    "\\\"",
    "\\N \\G \\E \\T \\H \\L \\n \\l \\r",
    "line\nbreak",
    "carriage\rreturn",
    "tab\there",
    "nul\0byte",
    "escape\u{1b}[31m",
    "\u{202e}gnp.exe",
    "שלום עולם",
    "emoji 🦀 👩\u{200d}💻",
    "</script><script>alert(1)</script>",
    "<b>bold</b>",
    "&lt;entity&amp;",
    "node",
    "digraph",
    "strict",
    "a:b:c",
    "] } ; --",
    "// # /* comment */",
    "{record|<port>}",
];

/// Guarantees: `golden/hostile.dot`, which the external suite feeds to the real Graphviz, is what is drawn of
/// [`HOSTILE`], with each node's id and shown name beside it.
#[test]
fn hostile_names_are_drawn_as_the_golden_file_has_them() {
    let mut w = World::new();
    let first = w.service("a");
    for name in HOSTILE {
        let node = w.node(&format!("ns/{name}"), name, "n\"&s\\", NodeType::Service);
        w.plain(first, node, 1);
    }
    let text = drawn(&w.done(), "");
    let mut got = String::new();
    for (id, label) in nodes(&text) {
        let shows = label.split('\n').next();
        writeln!(
            got,
            "// expect {}",
            serde_json::json!({"id": id, "shows": shows})
        )
        .unwrap();
    }
    got.push_str(&text);
    assert_eq!(got, include_str!("golden/hostile.dot"), "got:\n{got}");
}

#[test]
fn long_names_stay_below_what_graphviz_reads() {
    let mut w = World::new();
    let long = "\"".repeat(20_000);
    for suffix in ["x", "y"] {
        let id = format!("{long}{suffix}");
        w.node(&id, &id, "", NodeType::Service);
    }
    let nodes = nodes(&drawn(&w.done(), ""));
    assert_eq!(nodes.len(), 2);
    assert_ne!(nodes[0].0, nodes[1].0, "cut ids stay distinct");
    assert!(nodes.iter().all(|n| n.0.len() < 4_096 && n.1.len() < 4_096));
}

#[test]
fn nothing_in_a_drawing_is_a_link() {
    let text = drawn(&shop(), "").to_lowercase();
    for word in ["url", "href", "javascript", "label=<"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn a_drawing_can_be_turned_and_darkened() {
    assert!(drawn(&shop(), "rankdir=TB").contains("rankdir=TB,"));
    assert!(drawn(&shop(), "theme=dark").contains("bgcolor=\"#121212\""));
    assert!(drawn(&shop(), "label=calls").contains("label=\"630 calls\""));
    assert!(!drawn(&shop(), "label=none").contains(" failed\", tooltip"));
}

#[test]
fn a_large_drawing_advises_another_layout() {
    let mut w = World::new();
    for i in 0..501 {
        w.service(&format!("s{i:03}"));
    }
    assert!(drawn(&w.done(), "").starts_with("// 501 nodes: "));
    assert!(drawn(&shop(), "").starts_with("digraph"));
}
