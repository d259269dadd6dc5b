//! A table indexed by small ids that grows without moving what it holds, so that readers never lock.

use std::sync::OnceLock;

/// Rows of the first chunk; every chunk doubles the table.
const FIRST_CHUNK: u32 = 1024;
/// Chunks that together hold every `u32` below `u32::MAX - 1024`.
const CHUNKS: usize = 22;

/// Rows by id. A row exists, in its default state, from the first time it is looked at.
#[derive(Debug)]
pub(super) struct Table<T> {
    chunks: [OnceLock<Box<[T]>>; CHUNKS],
}

// === impl Table ===

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
        }
    }
}

impl<T: Default> Table<T> {
    /// The row of `id`.
    #[inline]
    pub(super) fn row(&self, id: u32) -> &T {
        let place = u64::from(id) + u64::from(FIRST_CHUNK);
        let chunk = (place.ilog2() - FIRST_CHUNK.ilog2()) as usize;
        let first = u64::from(FIRST_CHUNK) << chunk;
        let rows = self.chunks[chunk.min(CHUNKS - 1)]
            .get_or_init(|| (0..first).map(|_| T::default()).collect());
        // The last chunk would also be asked for ids above 2^32 - 1024, which no registry gives out.
        let at = usize::try_from(place - first).unwrap_or(usize::MAX);
        &rows[at.min(rows.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn every_id_has_a_row_of_its_own() {
        let table = Table::<AtomicU32>::default();
        for id in 0..10_000 {
            table.row(id).store(id + 1, Ordering::Relaxed);
        }
        assert!((0..10_000).all(|id| table.row(id).load(Ordering::Relaxed) == id + 1));
    }
}
