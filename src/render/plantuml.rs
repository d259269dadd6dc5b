//! PlantUML component diagram: namespaces as packages, shape by kind of node, colour and words by health, a dash
//! for messages, width by rate.
//!
//! Ids are numbers of this very text; names stand only in quoted labels, where all punctuation that could mean
//! something is a `<U+0025>`. `PlantUML` resolves these last, so no name can be syntax, a preprocessor call such as
//! `%date()`, markup, an included file or a link. Shapes and styles are those that the version in Debian 12 knows.

use std::fmt::{self, Write};

use super::callers::Callers;
use super::look::{
    Numbers, Palette, caption, dash, edge_lines, edges_by_ends, frames, pen_width, rank, title,
};
use super::picture::{Picture, RankDir};
use super::text::{hidden, shortened, visible, with_plainness};
use crate::topology::{Edge, Health, Node, NodeKind, Topology};

/// Nodes above which PlantUML, which asks Graphviz for the layout, takes minutes.
const MANY_NODES: usize = 500;

/// Writes the graph.
pub fn write(topology: &Topology, picture: &Picture, out: &mut impl Write) -> fmt::Result {
    let drawing = Drawing {
        topology,
        callers: Callers::of(topology),
        picture,
        palette: Palette::of(picture.theme),
        numbers: Numbers::of(topology),
    };
    drawing.head(out)?;
    drawing.nodes(out)?;
    for edge in edges_by_ends(topology) {
        drawing.edge(edge, out)?;
    }
    out.write_str("@enduml\n")
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
    fn head(&self, out: &mut impl Write) -> fmt::Result {
        let nodes = self.topology.nodes.len();
        let p = &self.palette;
        writeln!(out, "@startuml")?;
        if nodes > MANY_NODES {
            writeln!(
                out,
                "' {nodes} nodes: the layout may take minutes; namespace=, focus= and top= ask for less."
            )?;
        }
        let direction = match self.picture.rankdir {
            RankDir::LeftRight | RankDir::RightLeft => "left to right",
            RankDir::TopBottom | RankDir::BottomTop => "top to bottom",
        };
        let hidden =
            hidden(self.topology.hidden).map_or_else(String::new, |words| format!(", {words}"));
        let title = title(self.topology);
        writeln!(out, "title {title}{hidden}\n{direction} direction")?;
        writeln!(
            out,
            "skinparam Shadowing false\nskinparam BackgroundColor {}",
            p.ground
        )?;
        for part in ["Default", "Title", "Arrow", "Package", "Actor"] {
            writeln!(out, "skinparam {part}FontColor {}", p.ink)?;
        }
        writeln!(out, "skinparam PackageBorderColor {}", p.faint)
    }

    fn nodes(&self, out: &mut impl Write) -> fmt::Result {
        for (number, (namespace, nodes)) in frames(self.topology).into_iter().enumerate() {
            if let Some(namespace) = namespace {
                writeln!(out, "package \"{}\" as g{number} {{", escaped(namespace))?;
            }
            let indent = if namespace.is_some() { "  " } else { "" };
            nodes.iter().try_for_each(|n| self.node(n, indent, out))?;
            if namespace.is_some() {
                writeln!(out, "}}")?;
            }
        }
        Ok(())
    }

    fn node(&self, node: &Node, indent: &str, out: &mut impl Write) -> fmt::Result {
        let look = rank(node.health);
        let problem = node.health.filter(|h| h.problem());
        let rate = self
            .callers
            .rate(node)
            .map_or(String::new(), |r| format!("\\n{r}"));
        writeln!(
            out,
            "{indent}{} \"{}{rate}\" as {}{} {};line:{};text:{}",
            shape(node.counted.kind),
            escaped(&caption(node)),
            self.numbers.id(&node.counted.id),
            problem.map_or(String::new(), |h| format!(" <<{}>>", Health::name(h))),
            self.palette.fill[look],
            bare(self.palette.line[look]),
            bare(self.palette.ink),
        )
    }

    /// PlantUML puts the end named first to the left or on top; the arrow's head says who calls whom.
    fn edge(&self, edge: &Edge, out: &mut impl Write) -> fmt::Result {
        let (client, server) = (self.numbers.id(&edge.client), self.numbers.id(&edge.server));
        let line = self.palette.line[rank(edge.health)];
        let width = format!("{:.0}", pen_width(edge).max(1.0));
        let dash = match dash(edge) {
            "dashed" => ",dashed",
            _ => "",
        };
        let style = format!("[{line}{dash},thickness={width}]");
        let lines = edge_lines(edge, self.picture).join("\\n");
        let label = if lines.is_empty() {
            String::new()
        } else {
            format!(" : {lines}")
        };
        match self.picture.rankdir {
            RankDir::LeftRight | RankDir::TopBottom => {
                writeln!(out, "{client} -{style}-> {server}{label}")
            }
            RankDir::RightLeft | RankDir::BottomTop => {
                writeln!(out, "{server} <-{style}- {client}{label}")
            }
        }
    }
}

fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Service => "component",
        NodeKind::Database => "database",
        NodeKind::Messaging => "queue",
        NodeKind::External => "cloud",
        NodeKind::User => "actor",
        NodeKind::Overflow => "folder",
        NodeKind::Namespace | NodeKind::Dimension => "rectangle",
    }
}

/// A colour without its `#`, as it stands after the first of a list.
fn bare(colour: &str) -> &str {
    colour.trim_start_matches('#')
}

/// A name as quoted text: at most [`MAX_LABEL`](super::text::MAX_LABEL) characters, unprintables visible, punctuation and what
/// PlantUML uses for itself (private characters; spaces at the ends, which it trims) by number.
fn escaped(name: &str) -> String {
    let name = visible(&shortened(name));
    let last = name.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(name.len() + 8);
    for (at, (c, plain)) in with_plainness(&name).enumerate() {
        let private = ('\u{E000}'..='\u{F8FF}').contains(&c);
        let trimmed = c.is_whitespace() && (at == 0 || at == last);
        if plain && !private && !trimmed {
            out.push(c);
        } else {
            write!(out, "<U+{:04X}>", u32::from(c)).expect("writing to a string cannot fail");
        }
    }
    out
}
