//! Names that have broken other people's formats: quotes, escapes, markup, formulas, keywords, scripts of two
//! directions.

use proptest::prelude::*;
use spangraph::proto::{NodeType, Slice};

use super::World;

pub const HOSTILE: [&str; 50] = [
    "plain",
    "orders-db.v2_x",
    "say \"hi\"",
    "it's",
    "back\\slash",
    "trailing\\",
    "line\nbreak",
    "\r\ncarriage",
    "tab\there",
    "nul\0byte",
    "escape\u{1b}[31m",
    "\u{202e}gnp.exe",
    "שלום עולם",
    "emoji 🦀 👩\u{200d}💻",
    "non\u{ffff}character",
    "\u{e000}private\u{e100}use",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;entity&amp;",
    "#60;#quot;",
    "<U+0041>",
    "=cmd|' /C calc'!A0",
    "'=1+1",
    "''-2",
    "'quoted'",
    "+1",
    "-1",
    "@SUM(1)",
    "%date()",
    "%%{init: {}}%%",
    "!include /etc/passwd",
    "[[http://evil.example link]]",
    "[x](javascript:alert(1))",
    "javascript:alert(1)",
    "**bold** //slash// __under__ ~~s~~",
    "`code`",
    "1. item",
    "# heading",
    "$$$x^2$$$$",
    "fa:fa-user",
    "ﬂ°°60¶ß",
    "end",
    "graph",
    "class",
    "subgraph",
    "@enduml",
    "a\"]; b --> c",
    ":::failing",
    "NULL",
    "a,b;c|d",
];

/// A small graph around one node that bears `name`, in the namespace `name`.
pub fn around(name: &str) -> Slice {
    let mut w = World::new();
    let hostile = w.node("hostile/node", name, name, NodeType::Service);
    let (a, b) = (w.service("a"), w.virtual_node("database:b"));
    w.plain(a, hostile, 5);
    w.plain(hostile, b, 5).failed = 5;
    w.done()
}

/// A graph with every one of [`HOSTILE`] as a service called by `a`.
pub fn all() -> Slice {
    let mut w = World::new();
    let first = w.service("a");
    for (number, name) in HOSTILE.iter().enumerate() {
        let node = w.node(&format!("n{number:02}"), name, "n\"&s\\", NodeType::Service);
        w.plain(first, node, 1);
    }
    w.done()
}

/// Any text, with what means something somewhere in every second.
pub fn names() -> impl Strategy<Value = String> {
    "\\PC{1,12}|[\"'\\\\\n\r\t\0{}\\[\\]()<>&/*#%=+@:;.,_~`$!|U0-9fa\u{202e}\u{7f}\u{ffff}\u{e100}ﬂ°¶ß -]{1,16}"
}
