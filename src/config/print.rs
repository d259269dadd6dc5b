//! The table and its values for people: `print-config`, the example file, the reference.

use std::fmt::Write as _;

use super::Resolved;
use super::error::Origin;
use super::keys::{Limits, SECTIONS};
use super::table::Key;
use super::value::ByteSize;

// === impl Resolved ===

impl Resolved {
    /// Every key with the value that will run, as YAML that can be loaded again, each with who said it.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        let mut open: Vec<&str> = Vec::new();
        for setting in &self.settings {
            let name = open_sections(&mut out, &mut open, setting.path, &[]);
            let indent = "  ".repeat(open.len());
            let line = format!("{indent}{name}: {}", setting.value);
            let note = note(&setting.value, &setting.origin);
            let _ = writeln!(out, "{line:<40} # {note}");
        }
        let limits = &self.config.limits;
        let (sum, memory) = (limits.sum_of_shares(), limits.memory);
        let _ = writeln!(
            out,
            "# shares: pairing {} + history {} + in_flight {} + graph {} = {} of {} MiB",
            mib(limits.pairing),
            mib(limits.history),
            mib(limits.in_flight),
            mib(limits.graph),
            mib(sum),
            mib(memory)
        );
        out
    }
}

// === impl Limits ===

impl Limits {
    /// The four shares together.
    pub fn sum_of_shares(&self) -> ByteSize {
        let shares = [self.pairing, self.history, self.in_flight, self.graph];
        ByteSize(
            shares
                .iter()
                .fold(0, |sum, share| sum.saturating_add(share.0)),
        )
    }
}

/// The example file: every key with its default, explained.
pub fn example() -> String {
    let mut out = String::from(
        "# Every key with its default. Leave out what you do not change.\n\
         # The same by environment (SPANGRAPH_PAIRING__WAIT=10s) or flag (--set pairing.wait=10s).\n",
    );
    let mut open: Vec<&str> = Vec::new();
    for section in SECTIONS {
        out.push('\n');
        for key in section.keys {
            let name = open_sections(&mut out, &mut open, key.path, section.doc);
            let indent = "  ".repeat(open.len());
            for line in key.doc {
                let _ = writeln!(out, "{indent}#{line}");
            }
            if let Some(meaning) = key.auto {
                let _ = writeln!(out, "{indent}# auto: {meaning}.");
            }
            let _ = writeln!(out, "{indent}{name}: {}", key.default);
        }
    }
    out
}

/// The reference table of `docs/OPERATING.md`.
pub fn reference() -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let doc: Vec<&str> = section.doc.iter().map(|line| line.trim()).collect();
        let _ = writeln!(out, "### `{}`\n\n{}\n", section.path, doc.join(" "));
        out.push_str("| key | default | values | what it does |\n|---|---|---|---|\n");
        for key in section.keys {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                key.path,
                default(key),
                values(key),
                explanation(key)
            );
        }
        out.push('\n');
    }
    out
}

fn default(key: &Key) -> String {
    key.auto.map_or_else(
        || format!("`{}`", key.default),
        |meaning| format!("`auto`: {meaning}"),
    )
}

fn values(key: &Key) -> String {
    match key.range {
        Some((low, high)) => format!("{}, {low} to {high}", key.kind),
        None => key.kind.to_owned(),
    }
}

fn explanation(key: &Key) -> String {
    let lines: Vec<&str> = key.doc.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}

/// Writes the section heads that `path` lies under and that are not open yet, the innermost explained by `doc`; returns
/// the path's last name.
fn open_sections<'a>(
    out: &mut String,
    open: &mut Vec<&'a str>,
    path: &'a str,
    doc: &[&str],
) -> &'a str {
    let mut names: Vec<&str> = path.split('.').collect();
    let last = names.pop().unwrap_or(path);
    let common = names
        .iter()
        .zip(open.iter())
        .take_while(|(a, b)| a == b)
        .count();
    open.truncate(common);
    while let Some(name) = names.get(open.len()) {
        let indent = "  ".repeat(open.len());
        if open.len() + 1 == names.len() {
            for line in doc {
                let _ = writeln!(out, "{indent}#{line}");
            }
        }
        let _ = writeln!(out, "{indent}{name}:");
        open.push(name);
    }
    last
}

fn note(value: &str, origin: &Origin) -> String {
    let long_number = value.len() > 6 && value.bytes().all(|b| b.is_ascii_digit());
    match value.parse() {
        Ok(bytes) if long_number => format!("{origin}, {} MiB", mib(ByteSize(bytes))),
        _ => origin.to_string(),
    }
}

fn mib(size: ByteSize) -> u64 {
    size.0 >> 20
}
