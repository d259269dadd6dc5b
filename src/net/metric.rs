//! One reading of one counter, as plain data: whoever renders `/metrics` needs no knowledge of where it was kept.

/// How a value moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises while the process lives.
    Counter,
    /// Rises and falls.
    Gauge,
}

/// One reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Full name, unit and `_total` included.
    pub name: &'static str,
    /// One English sentence.
    pub help: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Label names and values; equal names come one after the other.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The reading.
    pub value: u64,
}

// === impl Metric ===

impl Metric {
    /// A counter's reading.
    pub fn counter(
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &'static str)],
        value: u64,
    ) -> Self {
        Self {
            name,
            help,
            kind: Kind::Counter,
            labels: labels.to_vec(),
            value,
        }
    }

    /// A gauge's reading.
    pub fn gauge(
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &'static str)],
        value: u64,
    ) -> Self {
        Self {
            kind: Kind::Gauge,
            ..Self::counter(name, help, labels, value)
        }
    }
}
