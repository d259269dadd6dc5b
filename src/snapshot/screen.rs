//! Where lines go: to a terminal taken over for the while, or one after another to anything else.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::table::{Line, Room, Style};

/// What happened to a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Somebody wants to leave.
    Quit,
    /// It may have another size.
    Redraw,
}

/// The terminal, in our hands until dropped.
#[derive(Debug)]
pub(super) struct Screen {
    colour: bool,
    /// What the keyboard was like; `None` when standard input is no terminal.
    saved: Option<Termios>,
    keys: Option<tokio::io::Stdin>,
    resized: Signal,
    stops: [Signal; 3],
}

/// Takes the alternate screen and hides the cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
/// Undoes it.
const LEAVE: &str = "\x1b[0m\x1b[?25h\x1b[?1049l";
/// Without a terminal that says its size.
const USUAL: Room = Room {
    width: 80,
    height: 24,
};

// === impl Screen ===

impl Screen {
    /// Takes the terminal over. Signals that end a program end it through [`Event::Quit`] from now on, so that the
    /// terminal is given back.
    pub(super) fn enter(colour: bool) -> io::Result<Self> {
        let stops = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [a, b, c] = stops.map(signal);
        let saved = termios::tcgetattr(io::stdin()).ok();
        let screen = Self {
            colour,
            keys: saved.as_ref().map(|_| tokio::io::stdin()),
            saved,
            resized: signal(SignalKind::window_change())?,
            stops: [a?, b?, c?],
        };
        if let Some(saved) = &screen.saved {
            termios::tcsetattr(io::stdin(), OptionalActions::Now, &by_key(saved))?;
        }
        write(ENTER)?;
        Ok(screen)
    }

    /// Its size now.
    pub(super) fn room() -> Room {
        match termios::tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Room {
                width: size.ws_col.into(),
                height: size.ws_row.into(),
            },
            _ => USUAL,
        }
    }

    /// Waits for the next thing that happens. Can be dropped and asked again.
    pub(super) async fn event(&mut self) -> Event {
        let Self {
            keys,
            resized,
            stops: [a, b, c],
            ..
        } = self;
        loop {
            let event = tokio::select! {
                _ = a.recv() => Some(Event::Quit),
                _ = b.recv() => Some(Event::Quit),
                _ = c.recv() => Some(Event::Quit),
                _ = resized.recv() => Some(Event::Redraw),
                event = key(keys) => event,
            };
            if let Some(event) = event {
                return event;
            }
        }
    }

    /// Draws over what was there, without clearing first: nothing flickers.
    pub(super) fn draw(&self, lines: &[Line], room: Room) -> io::Result<()> {
        write(&painted(lines, room, self.colour))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nobody is left to tell about a terminal that is gone.
        let _ = write(LEAVE);
        if let Some(saved) = &self.saved {
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, saved);
        }
    }
}

/// Keys come one by one, unseen; Ctrl-C and Ctrl-Z among them, which then send no signal.
fn by_key(saved: &Termios) -> Termios {
    let mut modes = saved.clone();
    modes.local_modes -=
        LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    modes
}

/// What the next key means. Never again once there is no keyboard any more.
async fn key(keys: &mut Option<tokio::io::Stdin>) -> Option<Event> {
    let mut byte = [0];
    let read = match keys {
        Some(keys) => keys.read(&mut byte).await,
        None => std::future::pending().await,
    };
    match (read, byte) {
        (Ok(0) | Err(_), _) => *keys = None,
        // q, Q, Ctrl-C, Ctrl-D.
        (Ok(_), [b'q' | b'Q' | 0x03 | 0x04]) => return Some(Event::Quit),
        // Ctrl-L.
        (Ok(_), [0x0C]) => return Some(Event::Redraw),
        (Ok(_), _) => {}
    }
    None
}

/// The escape sequences that draw the lines. Each cell is put at its column, so that even a terminal that draws a
/// name wider than it should keeps the columns straight.
pub(super) fn painted(lines: &[Line], room: Room, colour: bool) -> String {
    let mut out = String::new();
    for (row, line) in lines.iter().take(room.height).enumerate() {
        push(&mut out, format_args!("\x1b[{};1H\x1b[2K", row + 1));
        for cell in line
            .iter()
            .filter(|cell| cell.column + cell.text.width <= room.width)
        {
            push(&mut out, format_args!("\x1b[{}G", cell.column + 1));
            match sgr(cell.style).filter(|_| colour) {
                Some(code) => push(
                    &mut out,
                    format_args!("\x1b[{code}m{}\x1b[0m", cell.text.text),
                ),
                None => out.push_str(&cell.text.text),
            }
        }
    }
    if lines.len() < room.height {
        push(&mut out, format_args!("\x1b[{};1H\x1b[J", lines.len() + 1));
    }
    out
}

/// The lines as text: columns kept by spaces, nothing but line breaks to control anything.
pub(super) fn plain(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        let mut column = 0;
        for cell in line.iter().filter(|cell| !cell.text.text.is_empty()) {
            out.extend(std::iter::repeat_n(' ', cell.column.saturating_sub(column)));
            out.push_str(&cell.text.text);
            column = cell.column + cell.text.width;
        }
        out.push('\n');
    }
    out
}

/// Writes at once what must not be seen half.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}

/// Colours of the terminal's own palette, which its owner chose to be readable.
fn sgr(style: Style) -> Option<&'static str> {
    match style {
        Style::Plain => None,
        Style::Dim => Some("2"),
        Style::Bold => Some("1"),
        Style::Good => Some("32"),
        Style::Warning => Some("33"),
        Style::Bad => Some("31"),
    }
}
