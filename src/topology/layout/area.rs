//! Rectangles, on the floor of a layout and in pictures of it.

use super::geometry::{BOX_HEIGHT, BOX_WIDTH, FRAME_HEAD, FRAME_PAD};

/// A rectangle: from its left top to its right bottom, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Pixels, growing to the right.
    pub left: i32,
    /// Pixels, growing downwards.
    pub top: i32,
    /// At least `left`.
    pub right: i32,
    /// At least `top`.
    pub bottom: i32,
}

// === impl Area ===

impl Area {
    /// The box of a node whose middle is there.
    pub fn of(x: i32, y: i32) -> Self {
        Self {
            left: x - BOX_WIDTH / 2,
            top: y - BOX_HEIGHT / 2,
            right: x + BOX_WIDTH / 2,
            bottom: y + BOX_HEIGHT / 2,
        }
    }

    /// The smallest that holds both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// With what the frame around it takes.
    #[must_use]
    pub fn framed(self) -> Self {
        let grown = self.grown(FRAME_PAD);
        Self {
            top: self.top - FRAME_HEAD,
            ..grown
        }
    }

    /// Larger on all four sides.
    #[must_use]
    pub fn grown(self, by: i32) -> Self {
        Self {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    /// Whether the two share a point.
    pub fn meets(self, other: Self) -> bool {
        self.left <= other.right
            && other.left <= self.right
            && self.top <= other.bottom
            && other.top <= self.bottom
    }

    /// From left to right.
    pub fn width(self) -> i32 {
        self.right - self.left
    }

    /// From top to bottom.
    pub fn height(self) -> i32 {
        self.bottom - self.top
    }
}
