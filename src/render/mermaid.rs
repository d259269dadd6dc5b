//! Mermaid flowchart, as GitHub, GitLab and many wikis draw it: namespaces as subgraphs, shape by kind of node, colour
//! and sign by health, a dash for messages, width by rate.
//!
//! Ids are numbers of this very text; names stand only in labels, where all punctuation that could mean something is an
//! entity, so that no name can be syntax, a directive, Markdown, an icon or a link.

pub mod diff;
mod escape;
mod fit;

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use escape::escaped;
use fit::Part;

use super::callers::Callers;
use super::format::Undrawn;
use super::look::{
    Numbers, Palette, caption, dash, edge_lines, frames, pen_width, rank, title, trouble,
};
use super::picture::{Picture, Theme};
use super::text::hidden;
use crate::topology::{Edge, Node, NodeKind, Topology};

/// Classes of nodes, in the order of [`rank`].
const CLASSES: [&str; 4] = ["unknown", "ok", "degraded", "failing"];

/// Writes the graph, or of a large one the part that Mermaid takes.
pub fn write(
    topology: &Topology,
    picture: &Picture,
    out: &mut impl Write,
) -> Result<Undrawn, fmt::Error> {
    let drawing = Drawing {
        topology,
        callers: Callers::of(topology),
        picture,
        palette: Palette::of(picture.theme),
        numbers: Numbers::of(topology),
    };
    let (text, undrawn) = fit::largest(topology, |part| drawing.text(part))?;
    out.write_str(&text)?;
    Ok(undrawn)
}

struct Drawing<'a> {
    topology: &'a Topology,
    callers: Callers<'a>,
    picture: &'a Picture,
    palette: Palette,
    numbers: Numbers<'a>,
}

// === impl Drawing ===

impl Drawing<'_> {
    fn text(&self, part: &Part<'_>) -> Result<String, fmt::Error> {
        let mut out = String::new();
        self.head(part, &mut out)?;
        self.nodes(part, &mut out)?;
        for edge in part.edges() {
            self.edge(edge, &mut out)?;
        }
        self.classes(&mut out)?;
        self.widths(part, &mut out)?;
        Ok(out)
    }

    fn head(&self, part: &Part<'_>, out: &mut String) -> fmt::Result {
        let theme = configured(self.picture.theme);
        let hidden =
            hidden(self.topology.hidden).map_or_else(String::new, |words| format!(", {words}"));
        let title = title(self.topology) + &hidden;
        let direction = self.picture.rankdir.name();
        match part.missing() {
            None => write!(
                out,
                "---\ntitle: \"{title}\"\n{theme}---\nflowchart {direction}\n"
            ),
            Some(missing) => write!(
                out,
                "---\ntitle: \"{title}: {missing}\"\n{theme}---\n\
                 %% Mermaid refuses more than {} edges or {} characters. Ask for less with namespace=, focus= or top=.\n\
                 flowchart {direction}\n",
                fit::MAX_EDGES,
                fit::MAX_UNITS,
            ),
        }
    }

    fn nodes(&self, part: &Part<'_>, out: &mut String) -> fmt::Result {
        for (number, (namespace, nodes)) in frames(self.topology).into_iter().enumerate() {
            let nodes: Vec<_> = nodes.into_iter().filter(|n| part.shows(n)).collect();
            match namespace.filter(|_| !nodes.is_empty()) {
                None => nodes.iter().try_for_each(|n| self.node(n, "  ", out))?,
                Some(namespace) => {
                    writeln!(out, "  subgraph g{number}[\"{}\"]", escaped(namespace))?;
                    nodes.iter().try_for_each(|n| self.node(n, "    ", out))?;
                    writeln!(out, "  end")?;
                }
            }
        }
        Ok(())
    }

    fn node(&self, node: &Node, indent: &str, out: &mut String) -> fmt::Result {
        let (open, close) = brackets(node.counted.kind);
        let mut label = vec![escaped(&caption(node))];
        label.extend(self.callers.rate(node));
        label.extend(trouble(node.health, node.failed_ratio));
        writeln!(
            out,
            "{indent}{}{open}\"{}\"{close}:::{}",
            self.numbers.id(&node.counted.id),
            label.join("<br/>"),
            CLASSES[rank(node.health)],
        )
    }

    fn edge(&self, edge: &Edge, out: &mut String) -> fmt::Result {
        let lines = edge_lines(edge, self.picture).join("<br/>");
        let label = if lines.is_empty() {
            String::new()
        } else {
            format!("|\"{lines}\"|")
        };
        let arrow = match dash(edge) {
            "dashed" => "-.->",
            _ => "-->",
        };
        writeln!(
            out,
            "  {} {arrow}{label} {}",
            self.numbers.id(&edge.client),
            self.numbers.id(&edge.server)
        )
    }

    fn classes(&self, out: &mut String) -> fmt::Result {
        let p = &self.palette;
        for (class, name) in CLASSES.into_iter().enumerate() {
            let (fill, line) = (p.fill[class], p.line[class]);
            writeln!(
                out,
                "  classDef {name} fill:{fill},stroke:{line},color:{}",
                p.ink
            )?;
        }
        Ok(())
    }

    /// Mermaid numbers edges in the order they stand; those that look the same share a statement.
    fn widths(&self, part: &Part<'_>, out: &mut String) -> fmt::Result {
        let mut looks: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
        for (number, edge) in part.edges().iter().enumerate() {
            let look = (
                rank(edge.health),
                format!("{:.0}", pen_width(edge).max(1.0)),
            );
            looks.entry(look).or_default().push(number.to_string());
        }
        for ((class, width), numbers) in looks {
            let (line, numbers) = (self.palette.line[class], numbers.join(","));
            writeln!(
                out,
                "  linkStyle {numbers} stroke:{line},stroke-width:{width}px"
            )?;
        }
        Ok(())
    }
}

/// Lines of the front matter.
fn configured(theme: Theme) -> &'static str {
    match theme {
        // Whoever shows the page knows its ground better than we do.
        Theme::Light => "",
        Theme::Dark => "config:\n  theme: dark\n",
    }
}

fn brackets(kind: NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Service => ("(", ")"),
        NodeKind::Database => ("[(", ")]"),
        NodeKind::Messaging => ("[[", "]]"),
        NodeKind::External => ("{{", "}}"),
        NodeKind::User => ("([", "])"),
        NodeKind::Overflow => ("[/", "/]"),
        NodeKind::Namespace | NodeKind::Dimension => ("[", "]"),
    }
}

fn dash_array(dash: &str) -> &'static str {
    match dash {
        "dashed" => ",stroke-dasharray:6 4",
        "dotted" => ",stroke-dasharray:2 3",
        _ => "",
    }
}
