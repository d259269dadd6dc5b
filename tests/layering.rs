//! Who may know whom: the two arms of the picture in `src/lib.rs` never import each other, nothing below `daemon` sees
//! the configuration, and time and connections belong to neither arm. Read off the `crate::` paths in the source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes to sealed slices.
const WRITE_ARM: &[&str] = &[
    "receiver", "otlp", "pairing", "semconv", "span", "graph", "core",
];
/// Slices at rest.
const WAIST: &[&str] = &["slice", "proto", "history"];
/// Sealed slices to answers.
const READ_ARM: &[&str] = &["topology", "render", "api"];
/// Of neither arm.
const COMMON: &[&str] = &[
    "net",
    "access",
    "bearer",
    "bounded",
    "clock",
    "glob",
    "sync",
    "telemetry",
    "health",
    "snapshot",
    "diff",
];
/// What was typed and what will run; both stop at the top.
const SETTINGS: &[&str] = &["cli", "config"];
/// The only ones that see both arms.
const TOP: &[&str] = &["daemon", "replay", "demo", "main"];

/// What each module may import besides itself.
fn allowed(module: &str) -> Vec<&'static str> {
    let all = |groups: &[&[&'static str]]| groups.concat();
    match module {
        // The receiver hands on bytes: it knows the reader's verdicts and connections, and nothing of the graph.
        "receiver" => vec!["otlp", "net", "clock", "proto"],
        "span" | "semconv" | "otlp" => vec!["span", "semconv", "proto"],
        "pairing" => vec![
            "span", "semconv", "graph", "clock", "glob", "proto", "slice", "sync",
        ],
        "graph" => vec!["span", "semconv", "slice", "proto"],
        "core" => all(&[WRITE_ARM, &["slice", "proto", "clock", "sync"]]),
        "slice" => vec!["proto"],
        "history" => vec!["slice", "proto"],
        "topology" => vec!["slice", "proto", "history", "glob"],
        "render" => vec!["topology", "proto"],
        "api" => all(&[READ_ARM, WAIST, &["net", "bearer", "clock"]]),
        "proto" | "net" | "bearer" | "bounded" | "clock" | "glob" | "sync" | "telemetry" => vec![],
        // What every client of the API has in common.
        "access" => vec!["bearer", "bounded"],
        "health" => vec!["access"],
        "config" => vec!["glob"],
        // A client of the API: it shares with the daemon only how numbers and names look to people.
        "snapshot" => vec!["access", "render"],
        // Another, which compares by itself what was saved.
        "diff" => vec!["snapshot", "topology", "render", "proto"],
        // What is typed names formats, keys and addresses.
        "cli" => vec!["access", "config", "render", "snapshot", "diff"],
        module if TOP.contains(&module) => {
            all(&[WRITE_ARM, WAIST, READ_ARM, COMMON, SETTINGS, TOP])
        }
        other => panic!("`{other}` is in no room: give it one here and in docs/ARCHITECTURE.md"),
    }
}

fn source_files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the source tree is readable") {
        let path = entry.expect("the source tree is readable").path();
        if path.is_dir() {
            source_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The file without comments and without what follows its tests' `#[cfg(test)] mod`: tests may look everywhere.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file is UTF-8");
    let without_tests = match text.find("#[cfg(test)]\nmod ") {
        Some(at)
            if text[at..]
                .lines()
                .nth(1)
                .is_some_and(|line| line.ends_with('{')) =>
        {
            &text[..at]
        }
        _ => &text,
    };
    let lines = without_tests
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// First names after `crate::` (or the crate's own name), also of grouped imports.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in ["crate::", "spangraph::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$' || c == ':') {
                continue;
            }
            let rest = &code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(group_heads(group)),
                None => found.extend(head(rest)),
            }
        }
    }
    found
}

fn head(path: &str) -> Option<String> {
    let end = path
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(path.len());
    (end > 0).then(|| path[..end].to_owned())
}

/// Heads of the outermost items of `a::b, c::{d, e}}`.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = Vec::new();
    let mut item = String::new();
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.extend(head(std::mem::take(&mut item).trim())),
            _ => item.push(c),
        }
    }
    heads.extend(head(item.trim()));
    heads
}

fn module_of(path: &Path, src: &Path) -> String {
    let inside = path.strip_prefix(src).expect("it was found there");
    let first = inside.components().next().expect("a file has a name");
    first
        .as_os_str()
        .to_string_lossy()
        .trim_end_matches(".rs")
        .to_owned()
}

fn is_test_file(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests")
        || path.components().any(|c| c.as_os_str() == "tests")
}

/// Module → the modules it imports, over the whole source tree.
fn import_graph() -> BTreeMap<String, BTreeSet<String>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&src, &mut files);
    let modules: BTreeSet<String> = files.iter().map(|path| module_of(path, &src)).collect();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in &files {
        let inside = path.strip_prefix(&src).expect("it was found there");
        if is_test_file(inside) || inside == Path::new("lib.rs") {
            continue;
        }
        let found = imports(&code(path))
            .into_iter()
            .filter(|name| modules.contains(name));
        graph
            .entry(module_of(path, &src))
            .or_default()
            .extend(found);
    }
    graph
}

/// Guarantees: every import in the tree is one the table allows.
#[test]
fn every_module_imports_only_what_its_room_may() {
    let mut wrong = Vec::new();
    for (module, imported) in import_graph() {
        let allowed = allowed(&module);
        let outside = imported
            .iter()
            .filter(|name| **name != module && !allowed.contains(&name.as_str()));
        wrong.extend(outside.map(|name| format!("{module} imports {name}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Guarantees: the table itself keeps the arms apart, also through third modules.
#[test]
fn no_path_leads_from_one_arm_into_the_other() {
    for (arm, other) in [(WRITE_ARM, READ_ARM), (READ_ARM, WRITE_ARM)] {
        for start in arm {
            let mut reached: BTreeSet<&str> = BTreeSet::new();
            let mut open = vec![*start];
            while let Some(module) = open.pop() {
                if reached.insert(module) {
                    open.extend(allowed(module));
                }
            }
            let crossed: Vec<_> = reached.iter().filter(|name| other.contains(name)).collect();
            assert!(crossed.is_empty(), "{start} reaches {crossed:?}");
            assert!(
                !reached.contains("config"),
                "{start} reaches the configuration"
            );
        }
    }
}

#[test]
fn imports_are_read_off_the_source() {
    let text = "use crate::span::{A, B};\nuse crate::{otlp::{x, y}, graph, self_made::z};\nlet a = crate::proto::Law::default();\n\
                // crate::api is only spoken of\nuse other_crate::net;\n";
    let path = std::env::temp_dir().join(format!("spangraph-layering-{}.rs", std::process::id()));
    fs::write(&path, text).unwrap();
    let found = imports(&code(&path));
    fs::remove_file(&path).unwrap();
    let expected = ["graph", "otlp", "proto", "self_made", "span"];
    assert_eq!(
        found.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}
