//! A past: every sealed slice that a history was given, kept beside it.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use proptest::prelude::*;
use prost::Message as _;
use spangraph::history::{History, Resolved};
use spangraph::proto;
use spangraph::slice::{Join, Sealed, join};

/// On no boundary but that of a second.
pub const FIRST: u64 = 1_700_000_407;

/// What the clock does before a slice is sealed, and how many seconds the slice is long.
pub type Step = (u64, u64);

/// Mostly the next second; now and then a leap of the clock, or a slice that a step back has lengthened.
pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => Just((0, 1)),
        2 => (1_u64..12).prop_map(|leap| (leap, 1)),
        1 => (12_u64..1500).prop_map(|leap| (leap, 1)),
        2 => (2_u64..90).prop_map(|length| (0, length)),
    ]
}

/// A history and all that it was given.
pub struct Past {
    pub history: History,
    pub pushed: Vec<Sealed>,
    /// First second of the next slice.
    pub next: u64,
}

impl Past {
    pub fn new(max_bytes: u64) -> Self {
        Self {
            history: History::new(max_bytes),
            pushed: Vec::new(),
            next: FIRST,
        }
    }

    pub fn of(max_bytes: u64, steps: impl IntoIterator<Item = Step>) -> Self {
        let mut past = Self::new(max_bytes);
        steps.into_iter().for_each(|step| past.push(step));
        past
    }

    /// So many seconds, one slice each.
    pub fn seconds(count: u64) -> Self {
        Self::of(u64::MAX, (0..count).map(|_| (0, 1)))
    }

    pub fn push(&mut self, step: Step) {
        self.seal(step, |_| {});
    }

    /// Seals the next slice with what `draw` puts into it.
    pub fn seal(&mut self, (leap, length): Step, draw: impl FnOnce(&mut proto::Slice)) {
        let start = self.next + leap;
        let mut slice = counted(start, start + length);
        draw(&mut slice);
        let sealed = Sealed {
            start_unix_s: start,
            end_unix_s: start + length,
            bytes: slice.encode_to_vec().into(),
        };
        self.history.push(&sealed);
        self.pushed.push(sealed);
        self.next = start + length;
    }

    pub fn newest(&self) -> u64 {
        self.history.newest_unix_s().unwrap()
    }

    pub fn oldest(&self) -> u64 {
        self.history.oldest_unix_s().unwrap()
    }

    /// The slices still held that begin in the range an answer names.
    pub fn inside<'a>(&'a self, answer: &Resolved) -> impl Iterator<Item = &'a Sealed> {
        let range = answer.start_unix_s.max(self.oldest())..answer.end_unix_s;
        let inside = move |slice: &&Sealed| range.contains(&slice.start_unix_s);
        self.pushed.iter().filter(inside)
    }

    /// Their plain merge.
    pub fn plain(&self, answer: &Resolved) -> proto::Slice {
        decoded(&join(Join::Then, self.inside(answer).map(|slice| &*slice.bytes)).unwrap())
    }
}

/// What an answer holds.
pub fn merged(answer: &Resolved) -> proto::Slice {
    decoded(&join(Join::Then, answer.slots.iter().map(|slot| &**slot)).unwrap())
}

pub fn decoded(bytes: &[u8]) -> proto::Slice {
    proto::Slice::decode(bytes).unwrap()
}

/// A slice with counts that few others have.
fn counted(start: u64, end: u64) -> proto::Slice {
    proto::Slice {
        schema: 1,
        start_unix_s: start,
        end_unix_s: end,
        monotonic_ns: (end - start) * 1_000_000_000,
        covered_ns: (end - start) * 1_000_000_000,
        first_sequence: start,
        last_sequence: start,
        law: Some(proto::Law {
            decoded: 1 + start % 977,
            accepted: 1 + start % 977,
            ..proto::Law::default()
        }),
        strings: vec![format!("node-{}", start % 5)],
        nodes: vec![proto::Node {
            calls_no_caller: start % 31,
            first_seen_s: start,
            last_seen_s: start,
            ..proto::Node::default()
        }],
        ..proto::Slice::default()
    }
}
