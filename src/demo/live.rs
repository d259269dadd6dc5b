//! The line that moves: what the API says of the last seconds, and how fast spans go in.

use std::time::Duration;

use serde::Deserialize;

/// What a snapshot of the graph comes to, in a line.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sight {
    pub(super) services: usize,
    pub(super) edges: usize,
    pub(super) failing: usize,
    /// Whom the failing edge with most failed calls calls, and its failed share.
    worst: Option<(String, f64)>,
}

#[derive(Deserialize)]
struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    name: String,
    r#type: String,
}

#[derive(Deserialize)]
struct Edge {
    server: String,
    failed: u64,
    failed_ratio: Option<f64>,
    health: Option<String>,
}

/// What is asked each second: long enough to hold every edge, short enough to see a burst come and go.
pub(super) const PATH: &str = "/api/v1/topology?window=10s";

/// A line never wraps, or it could not be written over.
const WIDTH: usize = 79;

// === impl Sight ===

impl Sight {
    /// Reads a snapshot; `None` when it is none.
    pub(super) fn read(snapshot: &[u8]) -> Option<Self> {
        let Graph { nodes, edges } = serde_json::from_slice(snapshot).ok()?;
        let failing = |edge: &&Edge| edge.health.as_deref() == Some("failing");
        let worst = edges.iter().filter(failing).max_by_key(|edge| edge.failed);
        let name = |id: &str| {
            let node = nodes.iter().find(|node| node.id == id);
            node.map_or_else(|| id.to_owned(), |node| node.name.clone())
        };
        let worst = worst.map(|edge| (name(&edge.server), edge.failed_ratio.unwrap_or_default()));
        let service = |node: &&Node| node.r#type == "service";
        Some(Self {
            services: nodes.iter().filter(service).count(),
            edges: edges.len(),
            failing: edges.iter().filter(failing).count(),
            worst,
        })
    }

    fn in_words(&self) -> String {
        let Self {
            services,
            edges,
            failing,
            worst,
        } = self;
        let health = match worst {
            None => "all well".to_owned(),
            Some((name, share)) => {
                let percent = share * 100.0;
                format!("{failing} failing ({name} {percent:.0}%)")
            }
        };
        format!("{services} services  {edges} edges  {health}")
    }
}

/// `1:05  312 spans/s  15 services  27 edges  all well`, never wider than a terminal.
pub(super) fn line(running: Duration, spans_per_s: u64, sight: Option<&Sight>) -> String {
    let seconds = running.as_secs();
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let what = match sight {
        Some(sight) if sight.edges > 0 => sight.in_words(),
        _ => "the first calls are on their way".to_owned(),
    };
    shortened(format!(
        "{minutes}:{seconds:02}  {spans_per_s} spans/s  {what}"
    ))
}

fn shortened(line: String) -> String {
    if line.chars().count() <= WIDTH {
        return line;
    }
    let head: String = line.chars().take(WIDTH - 1).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: &str = r#"{"nodes":[
        {"id":"shop/web","name":"web","type":"service"},
        {"id":"payments/payments","name":"payments","type":"service"},
        {"id":"external:api.cardpay.example","name":"api.cardpay.example","type":"external"}],
      "edges":[
        {"client":"shop/web","server":"payments/payments","failed":3,"failed_ratio":0.3,"health":"failing"},
        {"client":"payments/payments","server":"external:api.cardpay.example","failed":30,"failed_ratio":0.845,"health":"failing"},
        {"client":"shop/web","server":"shop/web","failed":0,"failed_ratio":null,"health":null}]}"#;

    #[test]
    fn a_snapshot_comes_to_a_line_that_fits() {
        let sight = Sight::read(SNAPSHOT.as_bytes()).unwrap();
        let minutes = |minutes: u64| line(Duration::from_secs(minutes * 60 + 5), 312, Some(&sight));
        assert_eq!(
            minutes(1),
            "1:05  312 spans/s  2 services  3 edges  2 failing (api.cardpay.example 84%)"
        );
        let long = minutes(1_000_000_000_000);
        assert_eq!((long.chars().count(), long.ends_with('…')), (79, true));
    }

    #[test]
    fn calm_and_beginning_have_words_too() {
        let calm = Sight {
            services: 15,
            edges: 27,
            ..Sight::default()
        };
        assert_eq!(
            line(Duration::from_secs(9), 300, Some(&calm)),
            "0:09  300 spans/s  15 services  27 edges  all well"
        );
        assert!(line(Duration::ZERO, 0, None).ends_with("on their way"));
        assert_eq!(Sight::read(b"{}"), None);
    }
}
