//! From one body of `/api/v1/topology` to the next: what readers of the first must be told.
//!
//! Works on the bodies' JSON alone, so whatever a body shows is compared, and no field can be forgotten here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::figures::Figures;

/// What all readers of one query hold, by element.
#[derive(Debug, Default)]
pub(super) struct Held {
    nodes: Elements,
    edges: Elements,
    /// End of the newest body's window.
    end: String,
}

type Elements = BTreeMap<String, Element>;

#[derive(Debug)]
struct Element {
    /// As the newest body shows it.
    now: Figures,
    /// As readers may hold it: those that came at different times hold different values. Never empty.
    held: Vec<Figures>,
}

/// Most different values of one element that readers may hold; one more and all are told the newest.
const MAX_HELD: usize = 8;

/// What a delta calls its own shape.
const SCHEMA: &str = "spangraph.delta/1";

/// A body taken apart: its fields in their own bytes.
type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct Window {
    end: String,
}

/// Changes of one kind of element, each list sorted by id.
#[derive(Serialize, Default)]
struct Changes<'a> {
    upsert: Vec<&'a RawValue>,
    remove: Vec<String>,
}

// === impl Held ===

impl Held {
    /// Takes the next body and returns the delta to it; the first has none. `joined`: some reader took the body before
    /// this one whole.
    pub(super) fn next(
        &mut self,
        body: &[u8],
        joined: bool,
    ) -> serde_json::Result<Option<Vec<u8>>> {
        let mut fields: Fields<'_> = serde_json::from_slice(body)?;
        let nodes = change(&mut self.nodes, list(fields.remove("nodes"))?, joined)?;
        let edges = change(&mut self.edges, list(fields.remove("edges"))?, joined)?;
        let window: Window = parsed(fields.get("window").copied())?;
        let from = std::mem::replace(&mut self.end, window.end);
        if from.is_empty() {
            return Ok(None);
        }
        let (nodes, edges) = (
            serde_json::value::to_raw_value(&nodes)?,
            serde_json::value::to_raw_value(&edges)?,
        );
        let (schema, from) = (
            serde_json::value::to_raw_value(SCHEMA)?,
            serde_json::value::to_raw_value(&from)?,
        );
        fields.extend([
            ("schema", &*schema),
            ("from", &*from),
            ("nodes", &*nodes),
            ("edges", &*edges),
        ]);
        serde_json::to_vec(&fields).map(Some)
    }
}

fn parsed<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> serde_json::Result<T> {
    serde_json::from_str(raw.map_or("null", RawValue::get))
}

fn list(raw: Option<&RawValue>) -> serde_json::Result<Vec<&RawValue>> {
    parsed(raw)
}

/// Brings `elements` up to date and says what their readers must be told.
fn change<'a>(
    elements: &mut Elements,
    body: Vec<&'a RawValue>,
    joined: bool,
) -> serde_json::Result<Changes<'a>> {
    let mut gone = std::mem::take(elements);
    let mut changes = Changes::default();
    for raw in body {
        let id = parsed::<Id<'_>>(Some(raw))?.id.into_owned();
        let value: Value = parsed(Some(raw))?;
        let now = Figures::of(&value);
        let element = match gone.remove(&id) {
            Some(element) => element.moved_to(now, joined),
            None => Err(Element::told(now)),
        };
        let element = element.unwrap_or_else(|told| {
            changes.upsert.push(raw);
            told
        });
        elements.insert(id, element);
    }
    changes.remove = gone.into_keys().collect();
    Ok(changes)
}

// === impl Element ===

impl Element {
    /// As all readers hold it once they were told.
    fn told(now: Figures) -> Self {
        Self {
            held: vec![now.clone()],
            now,
        }
    }

    /// `Err` when the readers must be told.
    fn moved_to(mut self, now: Figures, joined: bool) -> Result<Self, Self> {
        if joined && !self.held.contains(&self.now) {
            self.held.push(self.now);
        }
        if self.held.len() > MAX_HELD || self.held.iter().any(|held| held.moved(&now)) {
            return Err(Self::told(now));
        }
        self.now = now;
        Ok(self)
    }
}
