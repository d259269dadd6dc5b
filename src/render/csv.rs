//! Comma-separated values (RFC 4180) with a header row: the edges of a graph, or its nodes. For pandas, databases and
//! spreadsheets; absent is an empty cell.
//!
//! A spreadsheet runs a cell that begins like a formula. Names come from whoever sends spans, so a text that begins
//! with `=`, `+`, `-`, `@`, a tab or a line break gets a `'` before it, which spreadsheets take for "this is text". One
//! that begins so after some `'` of its own gets one more, so that removing the first restores every name.

use std::fmt::{self, Write};

use super::flat::{self, Cell, Column};
use super::text::shown_where;
use crate::topology::Topology;

/// Writes one row an edge.
pub fn write_edges(topology: &Topology, out: &mut impl Write) -> fmt::Result {
    rows(&flat::edges(topology), &topology.edges, out)
}

/// Writes one row a node.
pub fn write_nodes(topology: &Topology, out: &mut impl Write) -> fmt::Result {
    rows(&flat::nodes(topology), &topology.nodes, out)
}

fn rows<E>(columns: &[Column<E>], elements: &[E], out: &mut impl Write) -> fmt::Result {
    let header: Vec<_> = columns.iter().map(|c| c.name.as_str()).collect();
    write!(out, "{}\r\n", header.join(","))?;
    for element in elements {
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                out.write_char(',')?;
            }
            match (column.read)(element) {
                None => {}
                Some(Cell::Text(text)) => quoted(&inert(text), out)?,
                Some(Cell::Made(text)) => quoted(&text, out)?,
                Some(Cell::Whole(n)) => write!(out, "{n}")?,
                Some(Cell::Number(n)) => write!(out, "{n}")?,
                Some(Cell::Flag(flag)) => write!(out, "{flag}")?,
            }
        }
        out.write_str("\r\n")?;
    }
    Ok(())
}

/// The text as no formula, and with the controls at which tables break made visible.
fn inert(text: &str) -> String {
    let formula = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let begins = text.trim_start_matches('\'').starts_with(formula);
    let quote = if begins { "'" } else { "" };
    let breaks = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    format!("{quote}{}", shown_where(text, breaks))
}

/// Quoted where it must be; an empty text is quoted too, so that it is not an absent one.
fn quoted(text: &str, out: &mut impl Write) -> fmt::Result {
    if !text.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return out.write_str(text);
    }
    write!(out, "\"{}\"", text.replace('"', "\"\""))
}
