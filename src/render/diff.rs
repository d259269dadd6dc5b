//! The formats of a difference: as [`Format`]'s table for a graph, the one place that says which there are.

pub(super) mod look;
pub(super) mod words;

use std::fmt;

use super::{Format, Picture, Undrawn, WriteError, Written, dot, json, mermaid, svg};
use crate::topology::diff::Diff;

/// How a difference is written.
#[derive(Clone, Copy)]
enum Writer {
    /// A drawing: takes the parameters of a picture.
    Drawn(fn(&Diff, &Picture, &mut String) -> fmt::Result),
    /// A drawing of as much as its consumer takes.
    Fitted(fn(&Diff, &Picture, &mut String) -> Result<Undrawn, fmt::Error>),
    /// JSON.
    Json(fn(&Diff, &mut Vec<u8>) -> serde_json::Result<()>),
}

/// In order of preference where a client takes several.
const TABLE: [(Format, Writer); 4] = [
    (Format::Json, Writer::Json(json::diff::write)),
    (Format::Dot, Writer::Drawn(dot::diff::write)),
    (Format::Svg, Writer::Drawn(svg::diff::write)),
    (Format::Mermaid, Writer::Fitted(mermaid::diff::write)),
];

/// The formats that show a difference, in order of preference.
pub fn formats() -> Vec<Format> {
    TABLE.iter().map(|(format, _)| *format).collect()
}

/// Whether a format's bodies follow the parameters of a [`Picture`].
pub fn is_drawn(format: Format) -> bool {
    matches!(writer(format), Some(Writer::Drawn(_) | Writer::Fitted(_)))
}

/// The formats that do.
pub fn drawn() -> Vec<Format> {
    formats().into_iter().filter(|f| is_drawn(*f)).collect()
}

/// Writes the difference. Fails only by a defect, or where [`formats`] does not have the format.
pub fn write(format: Format, diff: &Diff, picture: &Picture) -> Result<Written, WriteError> {
    let (mut text, mut undrawn) = (String::new(), Undrawn::default());
    match writer(format).ok_or(WriteError::NoDiff(format))? {
        Writer::Drawn(write) => write(diff, picture, &mut text)?,
        Writer::Fitted(write) => undrawn = write(diff, picture, &mut text)?,
        Writer::Json(write) => {
            let mut body = Vec::new();
            write(diff, &mut body)?;
            return Ok(Written { body, undrawn });
        }
    }
    let body = text.into_bytes();
    Ok(Written { body, undrawn })
}

fn writer(format: Format) -> Option<Writer> {
    let row = TABLE.iter().find(|(of, _)| *of == format);
    row.map(|(_, writer)| *writer)
}
