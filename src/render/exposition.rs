//! Prometheus' text format 0.0.4 and OpenMetrics 1.0: two dialects, told apart only here.

use std::fmt::Write as _;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `text/plain; version=0.0.4`
    Text,
    /// `application/openmetrics-text; version=1.0.0`, which has creation times and exemplars besides.
    OpenMetrics,
}

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of samples at or below bounds.
    Histogram,
}

/// A trace behind a sample.
#[derive(Debug, Clone, Copy)]
pub struct Exemplar<'a> {
    /// Its id.
    pub trace: &'a [u8],
    /// Its span.
    pub span: &'a [u8],
    /// What it adds to the sample, as text.
    pub value: &'a str,
    /// Unix second.
    pub second: u64,
}

/// Writes one exposition.
#[derive(Debug)]
pub struct Exposition {
    dialect: Dialect,
    out: String,
}

const INFALLIBLE: &str = "writing to a string cannot fail";

// === impl Dialect ===

impl Dialect {
    /// The `Content-Type` of its bodies.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

// === impl Kind ===

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

// === impl Exposition ===

impl Exposition {
    /// Nothing written yet; room for about `bytes`.
    pub fn new(dialect: Dialect, bytes: usize) -> Self {
        Self {
            dialect,
            out: String::with_capacity(bytes),
        }
    }

    /// Begins a metric. `unit` is the last word of its name where that is a unit.
    pub fn family(&mut self, name: &str, kind: Kind, unit: Option<&str>, help: &str) {
        // OpenMetrics calls a counter without the ending that its samples have.
        let name = match (self.dialect, kind) {
            (Dialect::OpenMetrics, Kind::Counter) => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        };
        let word = kind.word();
        writeln!(self.out, "# TYPE {name} {word}").expect(INFALLIBLE);
        if let (Dialect::OpenMetrics, Some(unit)) = (self.dialect, unit) {
            writeln!(self.out, "# UNIT {name} {unit}").expect(INFALLIBLE);
        }
        write!(self.out, "# HELP {name} ").expect(INFALLIBLE);
        self.escape(help, self.dialect == Dialect::OpenMetrics);
        self.out.push('\n');
    }

    /// One sample. `labels` is a label set as [`label_set`] writes it.
    pub fn sample(
        &mut self,
        name: &str,
        labels: &str,
        value: &str,
        exemplar: Option<Exemplar<'_>>,
    ) {
        write!(self.out, "{name}{labels} {value}").expect(INFALLIBLE);
        if let (Dialect::OpenMetrics, Some(exemplar)) = (self.dialect, exemplar) {
            self.exemplar(&exemplar);
        }
        self.out.push('\n');
    }

    /// When a counter or a histogram began at 0; `name` without the ending of its samples.
    pub fn created(&mut self, name: &str, labels: &str, unix_s: u64) {
        if self.dialect == Dialect::OpenMetrics {
            writeln!(self.out, "{name}_created{labels} {unix_s}.0").expect(INFALLIBLE);
        }
    }

    /// The whole.
    pub fn finish(mut self) -> String {
        if self.dialect == Dialect::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    fn exemplar(&mut self, exemplar: &Exemplar<'_>) {
        self.out.push_str(" # {trace_id=\"");
        self.hex(exemplar.trace);
        self.out.push_str("\",span_id=\"");
        self.hex(exemplar.span);
        write!(self.out, "\"}} {} {}.0", exemplar.value, exemplar.second).expect(INFALLIBLE);
    }

    fn hex(&mut self, bytes: &[u8]) {
        for byte in bytes {
            write!(self.out, "{byte:02x}").expect(INFALLIBLE);
        }
    }

    fn escape(&mut self, text: &str, quotes: bool) {
        escape(text, quotes, &mut self.out);
    }
}

/// `{a="1",b="2"}`, or nothing without labels.
pub fn label_set(labels: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in labels {
        out.push(if out.is_empty() { '{' } else { ',' });
        write!(out, "{name}=\"").expect(INFALLIBLE);
        escape(value, true, &mut out);
        out.push('"');
    }
    if !out.is_empty() {
        out.push('}');
    }
    out
}

/// Whole nanoseconds as seconds, exact: `1.5`, `2.0`.
pub fn seconds(ns: u64) -> String {
    let text = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    let short = text.trim_end_matches('0');
    let point = if short.ends_with('.') { "0" } else { "" };
    format!("{short}{point}")
}

fn escape(text: &str, quotes: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dialect: Dialect) -> String {
        let mut out = Exposition::new(dialect, 0);
        out.family("a_total", Kind::Counter, None, "A \"b\"\\\n.");
        let exemplar = Exemplar {
            trace: &[0xab],
            span: &[1],
            value: "1.0",
            second: 7,
        };
        out.sample(
            "a_total",
            &label_set(&[("x", "\"\\\n\u{1f980}")]),
            "3",
            Some(exemplar),
        );
        out.created("a", "", 5);
        out.family("b_seconds", Kind::Gauge, Some("seconds"), "B.");
        out.finish()
    }

    #[test]
    fn each_dialect_is_written_by_its_own_rules() {
        assert_eq!(
            write(Dialect::Text),
            "# TYPE a_total counter\n# HELP a_total A \"b\"\\\\\\n.\na_total{x=\"\\\"\\\\\\n🦀\"} 3\n\
             # TYPE b_seconds gauge\n# HELP b_seconds B.\n"
        );
        assert_eq!(
            write(Dialect::OpenMetrics),
            "# TYPE a counter\n# HELP a A \\\"b\\\"\\\\\\n.\n\
             a_total{x=\"\\\"\\\\\\n🦀\"} 3 # {trace_id=\"ab\",span_id=\"01\"} 1.0 7.0\na_created 5.0\n\
             # TYPE b_seconds gauge\n# UNIT b_seconds seconds\n# HELP b_seconds B.\n# EOF\n"
        );
    }

    #[test]
    fn seconds_are_exact() {
        let table = [
            (0, "0.0"),
            (1, "0.000000001"),
            (1_500_000_000, "1.5"),
            (10_000_000_000, "10.0"),
            (u64::MAX, "18446744073.709551615"),
        ];
        for (ns, text) in table {
            assert_eq!(seconds(ns), text);
        }
    }
}
