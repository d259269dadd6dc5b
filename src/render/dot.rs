//! Graphviz DOT: namespaces as clusters, shape by kind of node, colour and dash by health, width by rate.
//!
//! Names come from whoever sends spans. An id is the node's id with `"`, `\` and unprintable characters
//! percent-encoded: readable, stable, inert. The true name stands in labels, where backslashes are doubled (escString)
//! and `&` is an entity. There is no URL and no HTML label, so no name can become a link or markup.

mod escape;
mod palette;

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use escape::{escaped, quoted_id};
use palette::Palette;

use super::picture::{Label, Picture};
use super::text::{duration_ms, percent, rate};
use crate::topology::ident::encode_component;
use crate::topology::times::rfc3339;
use crate::topology::{
    Edge, Health, Latency, Node, NodeKind, Quantile, Topology, connection_name, estimate_ns,
};

/// Nodes above which `dot` takes minutes and `sfdp` still takes seconds.
const MANY_NODES: usize = 500;

/// Writes the graph.
pub fn write(topology: &Topology, picture: &Picture, out: &mut impl Write) -> fmt::Result {
    let drawing = Drawing {
        topology,
        picture,
        palette: Palette::of(picture.theme),
    };
    drawing.head(out)?;
    drawing.nodes(out)?;
    drawing.edges(out)?;
    out.write_str("}\n")
}

struct Drawing<'a> {
    topology: &'a Topology,
    picture: &'a Picture,
    palette: Palette,
}

// === impl Drawing ===

impl Drawing<'_> {
    fn head(&self, out: &mut impl Write) -> fmt::Result {
        let (t, p) = (self.topology, &self.palette);
        if t.nodes.len() > MANY_NODES {
            writeln!(
                out,
                "// {} nodes: dot may take minutes; sfdp -Tsvg takes seconds.",
                t.nodes.len()
            )?;
        }
        let (start, end) = (rfc3339(t.window.start_unix_s), rfc3339(t.window.end_unix_s));
        writeln!(out, "digraph spangraph {{")?;
        writeln!(
            out,
            "  graph [rankdir={}, labelloc=t, label=\"{start} to {end}\", tooltip=\"{} nodes, {} edges\", \
             fontname=\"Helvetica\", fontcolor=\"{}\", bgcolor=\"{}\"];",
            self.picture.rankdir.name(),
            t.nodes.len(),
            t.edges.len(),
            p.ink,
            p.ground,
        )?;
        writeln!(
            out,
            "  node [fontname=\"Helvetica\", fontcolor=\"{}\"];",
            p.ink
        )?;
        writeln!(
            out,
            "  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.7, fontcolor=\"{}\"];",
            p.ink
        )
    }

    fn nodes(&self, out: &mut impl Write) -> fmt::Result {
        let mut clusters: BTreeMap<Option<&str>, Vec<&Node>> = BTreeMap::new();
        for node in &self.topology.nodes {
            let service = node.counted.kind == NodeKind::Service;
            let namespace = node.counted.namespace.as_deref().filter(|_| service);
            clusters.entry(namespace).or_default().push(node);
        }
        for (namespace, nodes) in clusters {
            if let Some(namespace) = namespace {
                let id = format!("cluster_{}", encode_component(namespace));
                writeln!(out, "  subgraph {} {{", quoted_id(&id))?;
                writeln!(
                    out,
                    "    label=\"{}\"; style=\"rounded,dashed\"; color=\"{}\"; tooltip=\"namespace\";",
                    escaped(namespace),
                    self.palette.faint
                )?;
            }
            for node in nodes {
                let indent = if namespace.is_some() { "    " } else { "  " };
                out.write_str(indent)?;
                self.node(node, out)?;
            }
            if namespace.is_some() {
                writeln!(out, "  }}")?;
            }
        }
        Ok(())
    }

    fn node(&self, node: &Node, out: &mut impl Write) -> fmt::Result {
        let look = rank(node.health);
        let calls = node.counted.calls_from.calls();
        let shown_rate = node.rate_per_s.filter(|_| calls > 0);
        let rate_line = shown_rate.map_or(String::new(), |r| format!("\\n{}", rate(r)));
        let filled = if node.counted.kind.inferred() {
            ""
        } else {
            "filled,"
        };
        writeln!(
            out,
            "{} [label=\"{}{rate_line}\", tooltip=\"{}\", shape={}, style=\"{filled}{}{}\", fillcolor=\"{}\", color=\"{}\"];",
            quoted_id(&node.counted.id),
            escaped(&node.counted.name),
            self.node_tooltip(node),
            shape(node.counted.kind),
            if node.counted.kind == NodeKind::Service {
                "rounded,"
            } else {
                ""
            },
            dash(node.health),
            self.palette.fill[look],
            self.palette.line[look],
        )
    }

    fn edges(&self, out: &mut impl Write) -> fmt::Result {
        let mut edges: Vec<&Edge> = self.topology.edges.iter().collect();
        edges.sort_by_key(|e| (&e.client, &e.server, e.counted.connection_type));
        for edge in edges {
            let tooltip = self.edge_tooltip(edge);
            writeln!(
                out,
                "  {} -> {} [id=\"{}\", label=\"{}\", tooltip=\"{tooltip}\", labeltooltip=\"{tooltip}\", \
                 penwidth={:.2}, style={}, color=\"{}\"];",
                quoted_id(&edge.client),
                quoted_id(&edge.server),
                edge.id,
                self.edge_label(edge),
                pen_width(edge),
                dash(edge.health),
                self.palette.line[rank(edge.health)],
            )?;
        }
        Ok(())
    }

    /// Lines for people, joined by escString line breaks. A quantile names the side that measured it.
    fn edge_label(&self, edge: &Edge) -> String {
        let lines = self
            .picture
            .labels()
            .iter()
            .filter_map(|label| match label {
                Label::Calls => Some(format!("{} calls", edge.counted.calls())),
                Label::Rate => edge.rate_per_s.map(rate),
                Label::Failed => edge.failed_ratio.map(|r| format!("{} failed", percent(r))),
                Label::Latency(quantile) => edge_latency(edge, *quantile),
            });
        lines.collect::<Vec<_>>().join("\\n")
    }

    fn node_tooltip(&self, node: &Node) -> String {
        let c = &node.counted;
        let mut lines = vec![escaped(&c.id), c.kind.name().to_owned()];
        // A virtual node reports nothing itself; its edges tell its calls.
        let reported = (!c.kind.inferred())
            .then(|| format!("{} calls, {} failed", c.calls_from.calls(), c.failed));
        lines.extend(reported);
        lines.extend(node.latency.as_ref().map(|l| self.figures("latency", l)));
        lines.extend(node.health.map(|h| format!("health {}", h.name())));
        lines.join("\\n")
    }

    fn edge_tooltip(&self, edge: &Edge) -> String {
        let c = &edge.counted;
        let mut lines = vec![
            format!("{} to {}", escaped(&edge.client), escaped(&edge.server)),
            format!("{} calls, {} failed", c.calls(), c.failed_calls()),
        ];
        let connection = connection_name(c.connection_type);
        lines.extend((!connection.is_empty()).then(|| connection.to_owned()));
        let sides = [
            ("client", &edge.client_latency),
            ("server", &edge.server_latency),
            ("gap", &edge.gap),
            ("queue", &edge.queue),
        ];
        lines.extend(
            sides
                .iter()
                .filter_map(|(side, l)| Some(self.figures(side, l.as_ref()?))),
        );
        lines.extend(edge.health.map(|h| format!("health {}", h.name())));
        lines.join("\\n")
    }

    /// `client p50 9.0 ms, p95 33 ms`.
    fn figures(&self, side: &str, latency: &Latency) -> String {
        let values = self.topology.quantiles.iter().zip(&latency.quantiles_ms);
        let values: Vec<_> = values
            .map(|(q, ms)| format!("{} {}", q.label(), duration_ms(*ms)))
            .collect();
        format!("{side} {}", values.join(", "))
    }
}

/// The client's view where there is one, else the server's, else the queue's.
fn edge_latency(edge: &Edge, quantile: Quantile) -> Option<String> {
    let c = &edge.counted;
    let sides = [
        ("client", &c.client_latency),
        ("server", &c.server_latency),
        ("queue", &c.queue),
    ];
    let (side, histogram) = sides
        .into_iter()
        .find_map(|(side, h)| Some((side, h.as_ref()?)))?;
    let ms = estimate_ns(histogram, quantile)? / 1e6;
    Some(format!("{} {} {side}", quantile.label(), duration_ms(ms)))
}

/// 1 at one call a second, 1 more for each factor of ten; 0.5 to 8, and never thin when something is wrong.
fn pen_width(edge: &Edge) -> f64 {
    let least = if edge.health.is_some_and(Health::problem) {
        1.5
    } else {
        0.5
    };
    let width = edge.rate_per_s.map_or(0.5, |r| 1.0 + r.log10());
    width.clamp(least, 8.0)
}

fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Service => "box",
        NodeKind::Database => "cylinder",
        NodeKind::Messaging => "cds",
        NodeKind::External => "hexagon",
        NodeKind::User => "ellipse",
        NodeKind::Overflow => "folder",
        NodeKind::Namespace => "tab",
    }
}

/// Health must not be told by colour alone.
fn dash(health: Option<Health>) -> &'static str {
    match health {
        None | Some(Health::Ok) => "solid",
        Some(Health::Degraded) => "dashed",
        Some(Health::Failing) => "dotted",
    }
}

fn rank(health: Option<Health>) -> usize {
    match health {
        None => 0,
        Some(Health::Ok) => 1,
        Some(Health::Degraded) => 2,
        Some(Health::Failing) => 3,
    }
}
