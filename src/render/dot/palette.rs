//! Colours of the two themes.

use crate::render::Theme;

/// Colours of one theme; each pair of text and ground has a contrast of at least 4.5.
pub(super) struct Palette {
    pub(super) ground: &'static str,
    pub(super) ink: &'static str,
    pub(super) faint: &'static str,
    /// Node fill and line colour: unknown, ok, degraded, failing.
    pub(super) fill: [&'static str; 4],
    pub(super) line: [&'static str; 4],
}

// === impl Palette ===

impl Palette {
    pub(super) fn of(theme: Theme) -> Self {
        match theme {
            Theme::Light => Self {
                ground: "#ffffff",
                ink: "#212121",
                faint: "#78909c",
                fill: ["#eceff1", "#e8f5e9", "#fff3e0", "#ffebee"],
                line: ["#607d8b", "#2e7d32", "#e65100", "#c62828"],
            },
            Theme::Dark => Self {
                ground: "#121212",
                ink: "#eeeeee",
                faint: "#78909c",
                fill: ["#263238", "#1b3a1e", "#4a2c00", "#4a1414"],
                line: ["#90a4ae", "#81c784", "#ffb74d", "#ef9a9a"],
            },
        }
    }
}
