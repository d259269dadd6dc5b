//! The strings of all slices being merged, each once.

use ahash::RandomState;
use hashbrown::HashTable;

use super::wire::Malformed;

/// A string of the merge. Ids follow the order of first sight and never leave the accumulator.
pub(super) type StringId = u32;

/// Strings by id and by text.
#[derive(Debug, Default)]
pub(super) struct Strings {
    texts: Vec<Box<str>>,
    /// For each string, the one that came after it last time: slices of one origin list nearly the same strings.
    next: Vec<StringId>,
    by_text: HashTable<StringId>,
    hasher: RandomState,
    last: StringId,
}

// === impl Strings ===

impl Strings {
    /// The text of a string.
    pub(super) fn text(&self, id: StringId) -> &str {
        &self.texts[id as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The id of `text`. Asking in the order of the slice's own table saves most look-ups.
    pub(super) fn intern(&mut self, text: &[u8]) -> Result<StringId, Malformed> {
        let guess = self
            .next
            .get(self.last as usize)
            .copied()
            .unwrap_or_default();
        let guessed = self
            .texts
            .get(guess as usize)
            .is_some_and(|known| known.as_bytes() == text);
        let id = if guessed { guess } else { self.look_up(text)? };
        if let Some(next) = self.next.get_mut(self.last as usize) {
            *next = id;
        }
        self.last = id;
        Ok(id)
    }

    fn look_up(&mut self, text: &[u8]) -> Result<StringId, Malformed> {
        let text = str::from_utf8(text).map_err(|_| Malformed("a string is not UTF-8"))?;
        let hash = self.hasher.hash_one(text);
        if let Some(id) = self
            .by_text
            .find(hash, |id| &*self.texts[*id as usize] == text)
        {
            return Ok(*id);
        }
        let id = u32::try_from(self.texts.len()).map_err(|_| Malformed("too many strings"))?;
        self.texts.push(text.into());
        self.next.push(0);
        let (hasher, texts) = (&self.hasher, &self.texts);
        self.by_text
            .insert_unique(hash, id, |id| hasher.hash_one(&*texts[*id as usize]));
        Ok(id)
    }
}
