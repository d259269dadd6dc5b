//! The formats of a graph: one table, from which the API's routes, content types and choice of a format, and the
//! commands' `--format` all follow. A new format is a variant, a row, and a file with its `write`.
//!
//! Deliberately absent: how a client asks for a format, which is the API's business.

use std::fmt;

use super::{Picture, csv, dot, grafana, graphml, json, mermaid, node_link, plantuml, svg};
use crate::topology::Topology;

/// A format of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The snapshot of the API, or its flat arrays.
    Json,
    /// Graphviz.
    Dot,
    /// A drawing of its own, from the layout.
    Svg,
    /// Mermaid.
    Mermaid,
    /// `PlantUML`.
    Plantuml,
    /// Gephi, yEd, igraph and others.
    Graphml,
    /// networkx' node-link JSON.
    NodeLink,
    /// RFC 4180.
    Csv,
    /// Grafana's Node Graph panel.
    Grafana,
}

/// What of a topology is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Nodes and edges.
    #[default]
    Graph,
    /// Nodes alone.
    Nodes,
    /// Edges alone.
    Edges,
}

/// Why a graph cannot be written: a defect.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Of a text.
    #[error(transparent)]
    Text(#[from] fmt::Error),
    /// Of JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The format has no such view.
    #[error("{0:?} does not show {1:?}")]
    NoView(Format, View),
    /// The format has no differences.
    #[error("{0:?} does not show a difference")]
    NoDiff(Format),
}

/// What was written, and what of the topology is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub body: Vec<u8>,
    /// What had no room.
    pub undrawn: Undrawn,
}

/// What passed the filters, but not the bounds of the format's own consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Undrawn {
    /// Nodes.
    pub nodes: usize,
    /// Edges.
    pub edges: usize,
}

/// How a view is written.
#[derive(Clone, Copy)]
enum Writer {
    /// A drawing: takes the parameters of a picture.
    Drawn(fn(&Topology, &Picture, &mut String) -> fmt::Result),
    /// A drawing of as much as its consumer takes.
    Fitted(fn(&Topology, &Picture, &mut String) -> Result<Undrawn, fmt::Error>),
    /// Text for programs.
    Text(fn(&Topology, &mut String) -> fmt::Result),
    /// JSON.
    Json(fn(&Topology, &mut Vec<u8>) -> serde_json::Result<()>),
}

/// A format with all there is to know about it.
struct Row {
    format: Format,
    /// The word of `format=`, of the first suffix, and of `--format`.
    name: &'static str,
    /// Further suffixes: the customary extensions of its files.
    extensions: &'static [&'static str],
    /// Media type of its bodies; texts add the parameter `charset=utf-8`.
    content_type: &'static str,
    /// One line for whoever chooses.
    about: &'static str,
    graph: Option<Writer>,
    nodes: Option<Writer>,
    edges: Option<Writer>,
}

/// In order of preference where a client takes several.
const TABLE: [Row; 9] = [
    Row {
        format: Format::Json,
        name: "json",
        extensions: &[],
        content_type: "application/json",
        about: "The whole snapshot as one object",
        graph: Some(Writer::Json(json::write)),
        nodes: Some(Writer::Json(json::write_nodes)),
        edges: Some(Writer::Json(json::write_edges)),
    },
    Row {
        format: Format::Dot,
        name: "dot",
        extensions: &[],
        content_type: "text/vnd.graphviz; charset=utf-8",
        about: "For Graphviz: `| dot -Tsvg`",
        graph: Some(Writer::Drawn(dot::write)),
        nodes: None,
        edges: None,
    },
    Row {
        format: Format::Svg,
        name: "svg",
        extensions: &[],
        content_type: "image/svg+xml",
        about: "A picture, as every browser shows it",
        graph: Some(Writer::Drawn(svg::write)),
        nodes: None,
        edges: None,
    },
    Row {
        format: Format::Mermaid,
        name: "mermaid",
        extensions: &["mmd"],
        content_type: "text/vnd.mermaid; charset=utf-8",
        about: "For Markdown, in a fenced block `mermaid`",
        graph: Some(Writer::Fitted(mermaid::write)),
        nodes: None,
        edges: None,
    },
    Row {
        format: Format::Plantuml,
        name: "plantuml",
        extensions: &["puml"],
        content_type: "text/x-plantuml; charset=utf-8",
        about: "For PlantUML: `| plantuml -charset UTF-8 -pipe -tsvg`",
        graph: Some(Writer::Drawn(plantuml::write)),
        nodes: None,
        edges: None,
    },
    Row {
        format: Format::Graphml,
        name: "graphml",
        extensions: &[],
        content_type: "application/graphml+xml",
        about: "For Gephi, yEd, igraph",
        graph: Some(Writer::Text(graphml::write)),
        nodes: None,
        edges: None,
    },
    Row {
        format: Format::NodeLink,
        name: "node-link",
        extensions: &[],
        content_type: "application/json",
        about: "For networkx and d3",
        graph: Some(Writer::Json(node_link::write)),
        nodes: None,
        edges: None,
    },
    Row {
        format: Format::Csv,
        name: "csv",
        extensions: &[],
        content_type: "text/csv; charset=utf-8",
        about: "One row an edge, for pandas and spreadsheets",
        graph: Some(Writer::Text(csv::write_edges)),
        nodes: Some(Writer::Text(csv::write_nodes)),
        edges: Some(Writer::Text(csv::write_edges)),
    },
    Row {
        format: Format::Grafana,
        name: "grafana",
        extensions: &[],
        content_type: "application/json",
        about: "For Grafana's Node Graph panel, through its Infinity data source",
        graph: None,
        nodes: Some(Writer::Json(grafana::write_nodes)),
        edges: Some(Writer::Json(grafana::write_edges)),
    },
];

// A variant's row stands at its number.
const _: () = {
    let mut at = 0;
    while at < TABLE.len() {
        assert!(TABLE[at].format as usize == at);
        at += 1;
    }
};

// === impl Format ===

impl Format {
    /// Every format, in order of preference.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Json; TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].format;
            at += 1;
        }
        all
    };

    /// The word of `format=`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The suffixes of a path that mean it: its name, then the customary extensions of its files.
    pub fn suffixes(self) -> impl Iterator<Item = &'static str> {
        let row = self.row();
        [row.name].into_iter().chain(row.extensions.iter().copied())
    }

    /// The `Content-Type` of its bodies.
    pub fn content_type(self) -> &'static str {
        self.row().content_type
    }

    /// The same without parameters.
    pub fn media_type(self) -> &'static str {
        let content_type = self.content_type();
        content_type.split(';').next().unwrap_or(content_type)
    }

    /// One line for whoever chooses.
    pub fn about(self) -> &'static str {
        self.row().about
    }

    /// Whether its bodies of `view` follow the parameters of a [`Picture`].
    pub fn is_drawn(self, view: View) -> bool {
        let writer = self.row().writer(view);
        matches!(writer, Some(Writer::Drawn(_) | Writer::Fitted(_)))
    }

    /// Whether its bodies are drawn where the layout puts nodes.
    pub fn is_placed(self) -> bool {
        self == Self::Svg
    }

    /// Writes `view` of the topology. Fails only by a defect, or where [`View::formats`] does not have it.
    pub fn write(
        self,
        view: View,
        topology: &Topology,
        picture: &Picture,
    ) -> Result<Written, WriteError> {
        let writer = self.row().writer(view);
        let (mut text, mut undrawn) = (String::new(), Undrawn::default());
        match writer.ok_or(WriteError::NoView(self, view))? {
            Writer::Drawn(write) => write(topology, picture, &mut text)?,
            Writer::Fitted(write) => undrawn = write(topology, picture, &mut text)?,
            Writer::Text(write) => write(topology, &mut text)?,
            Writer::Json(write) => {
                let mut body = Vec::new();
                write(topology, &mut body)?;
                return Ok(Written { body, undrawn });
            }
        }
        let body = text.into_bytes();
        Ok(Written { body, undrawn })
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

// === impl View ===

impl View {
    /// Every view.
    pub const ALL: [Self; 3] = [Self::Graph, Self::Nodes, Self::Edges];

    /// Its word: the end of its route, and what `--view` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Graph => "topology",
            Self::Nodes => "nodes",
            Self::Edges => "edges",
        }
    }

    /// One line for whoever chooses.
    pub fn about(self) -> &'static str {
        match self {
            Self::Graph => "Nodes and edges",
            Self::Nodes => "The nodes as a flat list",
            Self::Edges => "The edges as a flat list",
        }
    }

    /// The formats that show it, in order of preference.
    pub fn formats(self) -> Vec<Format> {
        let shown = |row: &&Row| row.writer(self).is_some();
        TABLE.iter().filter(shown).map(|row| row.format).collect()
    }
}

// === impl Row ===

impl Row {
    fn writer(&self, view: View) -> Option<Writer> {
        match view {
            View::Graph => self.graph,
            View::Nodes => self.nodes,
            View::Edges => self.edges,
        }
    }
}
