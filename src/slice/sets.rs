//! Strings listed by nodes and edges, merged: the 16 smallest, and counts by string.

use super::strings::{StringId, Strings};
use super::wire::{Field, Malformed, Reader};

/// Most strings a set lists.
const MAX_LISTED: usize = 16;

/// The smallest strings of all sets added.
#[derive(Debug, Default)]
pub(super) struct StringSet {
    /// Sorted by text.
    pub(super) ids: Vec<StringId>,
    /// Some set had more, or this one was cut.
    pub(super) more: bool,
}

/// Counts by string, in the order of first sight.
#[derive(Debug, Default)]
pub(super) struct StringCounts {
    pub(super) counts: Vec<(StringId, u64)>,
}

/// Strings of the slice being read, by their place in its own table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refs<'a>(pub(super) &'a [StringId]);

// === impl Refs ===

impl Refs<'_> {
    #[inline]
    pub(super) fn get(self, place: u64) -> Result<StringId, Malformed> {
        let id = usize::try_from(place)
            .ok()
            .and_then(|place| self.0.get(place));
        id.copied()
            .ok_or(Malformed("a string lies outside the table"))
    }
}

// === impl StringSet ===

impl StringSet {
    pub(super) fn add(
        &mut self,
        message: &[u8],
        refs: Refs<'_>,
        strings: &Strings,
    ) -> Result<(), Malformed> {
        let mut reader = Reader::new(message);
        while let Some(field) = reader.field()? {
            match field {
                Field::Number(1, place) => self.insert(refs.get(place)?, strings),
                Field::Bytes(1, packed) => {
                    let mut packed = Reader::new(packed);
                    while !packed.is_empty() {
                        self.insert(refs.get(packed.varint()?)?, strings);
                    }
                }
                Field::Number(2, more) => self.more |= more != 0,
                Field::Number(..) | Field::Bytes(..) => {}
            }
        }
        Ok(())
    }

    fn insert(&mut self, id: StringId, strings: &Strings) {
        if self.ids.contains(&id) {
            return;
        }
        let text = strings.text(id);
        let at = self
            .ids
            .partition_point(|known| strings.text(*known) < text);
        if self.ids.len() == MAX_LISTED {
            self.more = true;
            if at == MAX_LISTED {
                return;
            }
            self.ids.pop();
        }
        self.ids.insert(at, id);
    }
}

// === impl StringCounts ===

impl StringCounts {
    pub(super) fn add(&mut self, message: &[u8], refs: Refs<'_>) -> Result<(), Malformed> {
        let mut reader = Reader::new(message);
        let (mut place, mut added) = (reader.number_if_next(1)?, reader.number_if_next(2)?);
        while let Some(field) = reader.field()? {
            match field {
                Field::Number(1, v) => place = v,
                Field::Number(2, v) => added = v,
                Field::Number(..) | Field::Bytes(..) => {}
            }
        }
        let id = refs.get(place)?;
        match self.counts.iter_mut().find(|(known, _)| *known == id) {
            Some((_, count)) => *count = count.saturating_add(added),
            None => self.counts.push((id, added)),
        }
        Ok(())
    }
}
