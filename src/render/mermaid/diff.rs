//! A difference as a Mermaid flowchart, under the same rules for names as a graph.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::escape::escaped;
use super::{brackets, configured, dash_array, fit};
use crate::render::diff::look::{Look, edges_by_ends, frames, node_lines, titles};
use crate::render::diff::words::lines;
use crate::render::look::Palette;
use crate::render::{Picture, Undrawn};
use crate::topology::diff::{Change, Diff, EdgeDiff, NodeDiff, Status};

/// Classes of nodes.
const CLASSES: [Status; 4] = [
    Status::Added,
    Status::Removed,
    Status::Changed,
    Status::Same,
];

/// Writes the difference, or of a large one the part that Mermaid takes: what is beyond chance first.
pub fn write(diff: &Diff, picture: &Picture, out: &mut impl Write) -> Result<Undrawn, fmt::Error> {
    let drawing = Drawing {
        diff,
        picture,
        palette: Palette::of(picture.theme),
    };
    let mut most = diff.edges.len().max(diff.nodes.len()).min(fit::MAX_EDGES);
    loop {
        let part = Part::of(diff, most);
        let text = drawing.text(&part)?;
        if most == 0 || text.encode_utf16().count() <= fit::MAX_UNITS {
            out.write_str(&text)?;
            return Ok(part.undrawn);
        }
        most = most * 3 / 4;
    }
}

struct Drawing<'a> {
    diff: &'a Diff,
    picture: &'a Picture,
    palette: Palette,
}

/// Some edges with their ends, and some other nodes.
struct Part<'a> {
    edges: Vec<&'a EdgeDiff>,
    /// By id, numbered.
    nodes: BTreeMap<&'a str, usize>,
    undrawn: Undrawn,
}

// === impl Part ===

impl<'a> Part<'a> {
    /// At most so many edges, and so many nodes that are no ends of these.
    fn of(diff: &'a Diff, most: usize) -> Self {
        let first = |change: &Change| (!change.significant, change.status);
        let mut ranked: Vec<&EdgeDiff> = diff.edges.iter().collect();
        ranked.sort_by_key(|e| (first(&e.change), &e.id));
        ranked.truncate(most);
        let kept: BTreeSet<&str> = ranked.iter().map(|e| e.id.as_str()).collect();
        let ends = ranked.iter().flat_map(|e| [&e.client, &e.server]);
        let mut nodes: BTreeSet<&str> = ends.map(String::as_str).collect();
        let mut others: Vec<&NodeDiff> = diff.nodes.iter().collect();
        others.retain(|n| !nodes.contains(n.id.as_str()));
        others.sort_by_key(|n| (first(&n.change), &n.id));
        nodes.extend(others.iter().take(most).map(|n| n.id.as_str()));
        let mut edges = edges_by_ends(diff);
        edges.retain(|e| kept.contains(e.id.as_str()));
        Self {
            undrawn: Undrawn {
                nodes: diff.nodes.len() - nodes.len(),
                edges: diff.edges.len() - edges.len(),
            },
            edges,
            nodes: nodes.into_iter().zip(0..).collect(),
        }
    }

    fn id(&self, node: &str) -> String {
        // Both ends of every edge are among the nodes.
        let number = self.nodes.get(node);
        number.map_or_else(|| "unknown".to_owned(), |n| format!("n{n}"))
    }
}

// === impl Drawing ===

impl Drawing<'_> {
    fn text(&self, part: &Part<'_>) -> Result<String, fmt::Error> {
        let mut out = String::new();
        self.head(part, &mut out)?;
        self.nodes(part, &mut out)?;
        for edge in &part.edges {
            let label = lines(&edge.change, self.diff).join("<br/>");
            let label = match label.as_str() {
                "" => label,
                label => format!("|\"{label}\"|"),
            };
            let (client, server) = (part.id(&edge.client), part.id(&edge.server));
            writeln!(out, "  {client} -->{label} {server}")?;
        }
        self.classes(&mut out)?;
        self.widths(part, &mut out)?;
        Ok(out)
    }

    fn head(&self, part: &Part<'_>, out: &mut String) -> fmt::Result {
        let theme = configured(self.picture.theme);
        let title = titles(self.diff).join("; ");
        let direction = self.picture.rankdir.name();
        let missing = if part.undrawn == Undrawn::default() {
            String::new()
        } else {
            let (shown, all) = (part.edges.len(), self.diff.edges.len());
            format!("; {shown} of {all} edges shown")
        };
        write!(
            out,
            "---\ntitle: \"{title}{missing}\"\n{theme}---\nflowchart {direction}\n"
        )
    }

    fn nodes(&self, part: &Part<'_>, out: &mut String) -> fmt::Result {
        for (number, (namespace, mut nodes)) in frames(self.diff).into_iter().enumerate() {
            nodes.retain(|n| part.nodes.contains_key(n.id.as_str()));
            let framed = namespace.filter(|_| !nodes.is_empty());
            if let Some(namespace) = framed {
                writeln!(out, "  subgraph g{number}[\"{}\"]", escaped(namespace))?;
            }
            for node in nodes {
                let indent = if framed.is_some() { "    " } else { "  " };
                let (open, close) = brackets(node.kind);
                let label = node_lines(escaped(&node.name), node, self.diff).join("<br/>");
                let (id, class) = (part.id(&node.id), node.change.status.name());
                writeln!(out, "{indent}{id}{open}\"{label}\"{close}:::{class}")?;
            }
            if framed.is_some() {
                writeln!(out, "  end")?;
            }
        }
        Ok(())
    }

    fn classes(&self, out: &mut String) -> fmt::Result {
        let p = &self.palette;
        for status in CLASSES {
            let (colour, dash) = Look::of_status(status);
            let (fill, line, dash) = (p.fill[colour], p.line[colour], dash_array(dash));
            let (name, ink) = (status.name(), p.ink);
            writeln!(
                out,
                "  classDef {name} fill:{fill},stroke:{line},color:{ink}{dash}"
            )?;
        }
        Ok(())
    }

    /// Mermaid numbers edges in the order they stand; those that look the same share a statement.
    fn widths(&self, part: &Part<'_>, out: &mut String) -> fmt::Result {
        let mut looks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (number, edge) in part.edges.iter().enumerate() {
            let look = Look::of(&edge.change);
            let (line, dash) = (self.palette.line[look.colour], dash_array(look.dash));
            let width = look.pen.max(1.0).round();
            let style = format!("stroke:{line},stroke-width:{width}px{dash}");
            looks.entry(style).or_default().push(number.to_string());
        }
        for (style, numbers) in looks {
            writeln!(out, "  linkStyle {} {style}", numbers.join(","))?;
        }
        Ok(())
    }
}
