//! Histogram blocks between two slices: taken when a histogram grows, given back at seal, so that a steady stream
//! allocates nothing.

use parking_lot::Mutex;

use crate::slice::MAX_BUCKETS;

/// Sizes a block can have, in buckets. The last is the most buckets a histogram may hold.
const SIZES: [usize; 6] = [16, 32, 64, 128, 256, MAX_BUCKETS];

/// Most buckets kept for later, 16 MiB; a block given back beyond that is freed.
const MAX_KEPT: usize = 2 << 20;

/// A run of bucket counts, all zero when taken.
pub(super) type Block = Box<[u64]>;

/// Blocks at rest. Shared by all workers; its lock is taken when a histogram grows, a few times a second per edge.
#[derive(Debug, Default)]
pub struct BlockPool {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    blocks: [Vec<Block>; SIZES.len()],
    buckets: usize,
}

// === impl BlockPool ===

impl BlockPool {
    /// A zeroed block of at least `buckets` (at most [`MAX_BUCKETS`]).
    pub(super) fn take(&self, buckets: usize) -> Block {
        let class = SIZES
            .partition_point(|&size| size < buckets)
            .min(SIZES.len() - 1);
        let mut kept = self.kept.lock();
        if let Some(block) = kept.blocks[class].pop() {
            kept.buckets -= block.len();
            return block;
        }
        drop(kept);
        vec![0; SIZES[class]].into_boxed_slice()
    }

    /// Takes a block back, counts and all.
    pub(super) fn give(&self, mut block: Block) {
        let Ok(class) = SIZES.binary_search(&block.len()) else {
            return;
        };
        block.fill(0);
        let mut kept = self.kept.lock();
        if kept.buckets + block.len() <= MAX_KEPT {
            kept.buckets += block.len();
            kept.blocks[class].push(block);
        }
    }

    /// Bytes of the blocks at rest.
    pub fn bytes(&self) -> usize {
        self.kept.lock().buckets * size_of::<u64>()
    }
}
