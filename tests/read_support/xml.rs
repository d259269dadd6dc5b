//! A strict reader of XML 1.0 without DTDs, as far as pictures need one. Panics at whatever a parser would refuse.

use std::collections::BTreeMap;

/// An element with all that is in it.
#[derive(Debug, Default, Clone)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Element>,
    /// Its own text, references resolved.
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub fn number(&self, name: &str) -> f64 {
        self.attribute(name).parse().unwrap()
    }

    /// Itself and everything below.
    pub fn all(&self) -> Vec<&Self> {
        let below = self.children.iter().flat_map(Self::all);
        [self].into_iter().chain(below).collect()
    }

    /// Direct children of a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

pub fn parse(text: &str) -> Element {
    let forbidden =
        |c: char| (c < ' ' && !"\t\n\r".contains(c)) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    assert!(!text.contains(forbidden), "a character that XML forbids");
    let mut open = vec![Element::default()];
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find('<') else {
            assert_eq!(rest.trim(), "", "text after the root");
            break;
        };
        let top = open.last_mut().unwrap();
        top.text.push_str(&resolved(&rest[..at]));
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('/') {
            let (name, after) = after.split_once('>').unwrap();
            let done = open.pop().unwrap();
            assert_eq!(done.name, name, "tags nest");
            open.last_mut().unwrap().children.push(done);
            rest = after;
            continue;
        }
        let (element, closed, after) = tag(rest);
        rest = after;
        if closed {
            open.last_mut().unwrap().children.push(element);
        } else {
            open.push(element);
        }
    }
    assert_eq!(open.len(), 1, "all is closed");
    let mut document = open.pop().unwrap();
    assert_eq!(document.children.len(), 1, "one root");
    document.children.pop().unwrap()
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_:.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(inner)
}

fn tag(text: &str) -> (Element, bool, &str) {
    let end = text.find([' ', '/', '>']).unwrap();
    let mut element = Element {
        name: text[..end].to_owned(),
        ..Element::default()
    };
    assert!(is_name(&element.name), "{:?}", element.name);
    let mut rest = &text[end..];
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix("/>") {
            return (element, true, after);
        }
        if let Some(after) = trimmed.strip_prefix('>') {
            return (element, false, after);
        }
        assert!(trimmed.len() < rest.len(), "attributes stand apart");
        let (name, after) = trimmed.split_once("=\"").unwrap();
        assert!(is_name(name), "{name:?}");
        let (value, after) = after.split_once('"').unwrap();
        assert!(!value.contains('<'), "{value}");
        let twice = element.attributes.insert(name.to_owned(), resolved(value));
        assert_eq!(twice, None, "{name} stands twice");
        rest = after;
    }
}

fn resolved(text: &str) -> String {
    assert!(!text.contains("]]>"), "{text}");
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (entity, after) = part.split_once(';').unwrap();
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#9" => '\t',
            "#10" => '\n',
            "#13" => '\r',
            other => panic!("unknown entity {other}"),
        });
        out.push_str(after);
    }
    out
}
