//! Standard output: a terminal, where one line moves, or anything else, where lines follow each other.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use super::live::{self, Sight};

/// Where the line goes.
#[derive(Debug)]
pub(super) struct Screen {
    /// The line is written over.
    moves: bool,
    colours: bool,
    shown: u64,
}

/// Where lines cannot be written over, only every so many are written.
const PLAIN_EVERY: u64 = 5;

/// Back to the beginning of the line, and clear it (ECMA-48: CR, EL).
const ANEW: &str = "\r\x1b[2K";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

// === impl Screen ===

impl Screen {
    pub(super) fn of_stdout() -> Self {
        let moves = io::stdout().is_terminal();
        // <https://no-color.org>: set and not empty.
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            moves,
            colours: moves && !unwanted,
            shown: 0,
        }
    }

    /// Shows one second.
    pub(super) fn show(
        &mut self,
        running: Duration,
        spans_per_s: u64,
        sight: Option<&Sight>,
    ) -> io::Result<()> {
        self.shown += 1;
        let line = live::line(running, spans_per_s, sight);
        let failing = sight.is_some_and(|sight| sight.failing > 0);
        match (self.moves, self.colours && failing) {
            (true, true) => print(&format!("{ANEW}{RED}{line}{PLAIN}")),
            (true, false) => print(&format!("{ANEW}{line}")),
            (false, _) if self.shown % PLAIN_EVERY == 1 => print(&format!("{line}\n")),
            (false, _) => Ok(()),
        }
    }
}

/// Writes to standard output, at once.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Leaves the line that moves as it is.
pub(super) fn end_line() -> io::Result<()> {
    if io::stdout().is_terminal() {
        print("\n")
    } else {
        Ok(())
    }
}
