//! What a replay says on standard error: each bad line or frame while it is read, and the sums at the end.

use std::fmt::Write as _;
use std::io::Write;

use super::error::Bad;
use super::input::Input;
use crate::otlp::Counts;
use crate::proto::Law;
use crate::render::text;
use crate::topology::Hidden;

/// Counts, and where they are told.
pub(super) struct Report<'a> {
    log: &'a mut dyn Write,
    inputs: u64,
    requests: u64,
    counts: Counts,
    bad: u64,
}

/// Most bad lines and frames that are named; all are counted.
const NAMED: u64 = 100;

// === impl Report ===

impl<'a> Report<'a> {
    pub(super) fn new(log: &'a mut dyn Write) -> Self {
        Self {
            log,
            inputs: 0,
            requests: 0,
            counts: Counts::default(),
            bad: 0,
        }
    }

    pub(super) fn input(&mut self) {
        self.inputs += 1;
    }

    pub(super) fn request(&mut self, counts: Counts) {
        self.requests += 1;
        self.counts += counts;
    }

    pub(super) fn bad(&mut self, input: &Input, bad: &Bad) {
        self.bad += 1;
        match self.bad {
            ..=NAMED => self.say(&format!("{}: {bad}", input.place())),
            more if more == NAMED + 1 => self.say("more bad ones follow; they are only counted"),
            _ => {}
        }
    }

    /// The last lines; `law` is that of the whole input, if it got so far.
    pub(super) fn sum_up(&mut self, law: Option<&Law>) {
        let rejected: u64 = self.counts.rejected.iter().sum();
        let mut line = format!(
            "read {} from {}, {} bad; {} = {} accepted",
            many(self.requests, "request"),
            many(self.inputs, "input"),
            self.bad,
            many(self.counts.decoded, "span"),
            self.counts.decoded - rejected,
        );
        let reasons = ["trace_id", "span_id", "parent_span_id"];
        for (reason, count) in reasons.iter().zip(self.counts.rejected) {
            if count > 0 {
                let _ = write!(line, " + {count} rejected ({reason})");
            }
        }
        self.say(&line);
        if let Some(law) = law {
            self.say(&law_line(law));
            if law.evicted > 0 {
                self.say(&format!(
                    "{} were decided early for want of memory: raise limits.pairing",
                    many(law.evicted, "span")
                ));
            }
            if law.overflow_calls > 0 {
                self.say(&format!(
                    "{} found no edge of their own: raise graph.max_nodes or graph.max_edges",
                    many(law.overflow_calls, "call")
                ));
            }
        }
    }

    /// What the query's filters took away of the graph.
    pub(super) fn hidden(&mut self, hidden: Hidden) {
        if let Some(words) = text::hidden_words([hidden.nodes, hidden.edges, hidden.calls]) {
            self.say(&words);
        }
    }

    /// A log that cannot be written must not cost the graph.
    fn say(&mut self, line: &str) {
        let _ = writeln!(self.log, "spangraph: {line}");
    }
}

/// Every accepted span has one outcome; every call one class.
fn law_line(law: &Law) -> String {
    let outcomes = law.outcomes.unwrap_or_default();
    let calls = law.calls.unwrap_or_default();
    let mut line = format!("{} accepted", law.accepted);
    push_counts(
        &mut line,
        &[
            ("paired", outcomes.paired),
            ("virtual", outcomes.r#virtual),
            ("internal", outcomes.internal),
            ("root", outcomes.root),
            ("unpaired_client", outcomes.unpaired_client),
            ("unpaired_server", outcomes.unpaired_server),
            ("filtered", outcomes.filtered),
            ("duplicate", outcomes.duplicate),
            ("late", outcomes.late),
            ("pending", law.pending_after),
        ],
    );
    let classes = [
        ("paired", calls.paired),
        ("entry", calls.entry),
        ("linked", calls.linked),
        ("virtual_server", calls.virtual_server),
        ("virtual_client", calls.virtual_client),
    ];
    let total: u64 = classes.iter().map(|(_, count)| count).sum();
    let _ = write!(line, "; {}", many(total, "call"));
    push_counts(&mut line, &classes);
    line
}

/// Adds ` = 3 paired + 1 root`, without those that are none; nothing when all are none.
fn push_counts(line: &mut String, counts: &[(&str, u64)]) {
    let mut before = "=";
    for (name, count) in counts.iter().filter(|(_, count)| *count > 0) {
        let _ = write!(line, " {before} {count} {name}");
        before = "+";
    }
}

fn many(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
