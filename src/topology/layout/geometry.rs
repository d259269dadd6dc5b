//! Measures of a layout, in pixels, and the little arithmetic on them.

/// Width of a node's box, where calls run from left to right.
pub const BOX_WIDTH: i32 = 184;
/// Height of a node's box.
pub const BOX_HEIGHT: i32 = 52;
/// From one rank to the next: room for a label between two boxes.
pub const RANK_STEP: i32 = BOX_WIDTH + 152;
/// From one node to the next below it, at least: edges pass between.
pub const ROW_STEP: i32 = BOX_HEIGHT + 32;
/// More than a row between two blocks: one's frame ends and the caption of the next begins.
pub const BLOCK_GAP: i32 = 44;
/// What a frame reaches beyond the boxes in it, at its sides and below.
pub const FRAME_PAD: i32 = 14;
/// What it reaches above them, where its caption is.
pub const FRAME_HEAD: i32 = 30;

/// From one column of a rank to its next.
pub(super) const SUB_STEP: i32 = BOX_WIDTH + 64;
/// More than a row between a frame and those outside below it.
pub(super) const FRAME_GAP: i32 = 16;

/// A count as a measure; a graph is far smaller than what would saturate it.
pub(super) fn measure(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX / 1_000)
}

/// The middle of some numbers, the mean of the two middle ones; `None` of none.
pub(super) fn median(numbers: &mut [i32]) -> Option<i32> {
    numbers.sort_unstable();
    let half = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        n if n % 2 == 1 => Some(numbers[half]),
        _ => Some(i32::midpoint(numbers[half - 1], numbers[half])),
    }
}
