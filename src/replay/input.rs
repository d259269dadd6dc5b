//! One input, cut into lines or frames. Reads ahead only what it needs to tell which.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use super::ReplayError;
use super::error::Bad;
use super::framing::{Detected, Length, MAX_BYTES, PROBE_BYTES, detect, length};
use crate::cli::Framing;

/// One file or standard input.
pub(super) struct Input {
    name: String,
    framing: Framing,
    reader: Box<dyn BufRead>,
    /// Lines or frames begun, bad and blank ones included.
    number: u64,
    /// What follows cannot be found.
    lost: bool,
}

/// Says early that a file is not there: a long replay before it would be lost.
pub(super) fn check(path: &Path) -> Result<(), ReplayError> {
    if path == Path::new("-") {
        return Ok(());
    }
    let checked = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        checked => checked.map(drop),
    };
    checked.map_err(|source| ReplayError::Read {
        name: path.display().to_string(),
        source,
    })
}

// === impl Input ===

impl Input {
    /// Opens a file, or standard input for `-`, and tells its framing unless it is `forced`.
    pub(super) fn open(path: &Path, forced: Option<Framing>) -> Result<Self, ReplayError> {
        if path == Path::new("-") {
            return Self::of(
                "standard input".to_owned(),
                Box::new(io::stdin().lock()),
                forced,
            );
        }
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::of(name, Box::new(file), forced),
            Err(source) => Err(ReplayError::Read { name, source }),
        }
    }

    fn of(
        name: String,
        mut source: Box<dyn Read>,
        forced: Option<Framing>,
    ) -> Result<Self, ReplayError> {
        let mut probe = Vec::new();
        if forced.is_none()
            && let Err(source) = (&mut source)
                .take(PROBE_BYTES as u64)
                .read_to_end(&mut probe)
        {
            return Err(ReplayError::Read { name, source });
        }
        let detected = detect(&probe, probe.len() < PROBE_BYTES);
        let framing = match forced.map_or(detected, Detected::Framing) {
            Detected::Framing(framing) => framing,
            Detected::Compressed(tool) => return Err(ReplayError::Compressed { name, tool }),
            Detected::Unknown => return Err(ReplayError::Unknown { name }),
        };
        Ok(Self {
            name,
            framing,
            reader: Box::new(BufReader::with_capacity(
                PROBE_BYTES,
                Cursor::new(probe).chain(source),
            )),
            number: 0,
            lost: false,
        })
    }

    /// The next request as stored, or why it cannot be had; `None` at the end.
    pub(super) fn read(&mut self) -> Result<Option<Result<Vec<u8>, Bad>>, ReplayError> {
        let read = match self.framing {
            Framing::Json => self.line(),
            Framing::Be32 | Framing::Varint => self.frame(),
        };
        read.map_err(|source| ReplayError::Read {
            name: self.name.clone(),
            source,
        })
    }

    /// Where the last request stood, as people look for it.
    pub(super) fn place(&self) -> String {
        format!("{}: {} {}", self.name, self.unit(), self.number)
    }

    /// Whether requests stand in frames, which may hold any encoding.
    pub(super) fn is_framed(&self) -> bool {
        self.framing != Framing::Json
    }

    fn unit(&self) -> &'static str {
        match self.framing {
            Framing::Json => "line",
            Framing::Be32 | Framing::Varint => "frame",
        }
    }

    fn line(&mut self) -> io::Result<Option<Result<Vec<u8>, Bad>>> {
        loop {
            let mut line = Vec::new();
            let most = MAX_BYTES as u64 + 1;
            if (&mut self.reader).take(most).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if line.len() > MAX_BYTES {
                self.reader.skip_until(b'\n')?;
                return Ok(Some(Err(Bad::TooLong)));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Ok(line)));
            }
        }
    }

    fn frame(&mut self) -> io::Result<Option<Result<Vec<u8>, Bad>>> {
        if self.lost || self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let (frame, mut head) = match self.length()? {
            Ok(frame) => (frame, Vec::new()),
            Err(bad) => {
                self.lost = true;
                return Ok(Some(Err(bad)));
            }
        };
        let mut body = (&mut self.reader).take(frame);
        if frame > MAX_BYTES as u64 {
            io::copy(&mut body, &mut io::sink())?;
            return Ok(Some(Err(Bad::TooLong)));
        }
        body.read_to_end(&mut head)?;
        Ok(Some(if (head.len() as u64) < frame {
            Err(Bad::CutOff)
        } else {
            Ok(head)
        }))
    }

    /// Takes the length before a frame, byte by byte: it may lie across two fillings of the buffer.
    fn length(&mut self) -> io::Result<Result<u64, Bad>> {
        let mut prefix = Vec::with_capacity(10);
        loop {
            match length(&prefix, self.framing) {
                Length::Is { frame, .. } => return Ok(Ok(frame)),
                Length::Broken => return Ok(Err(Bad::Length)),
                Length::CutOff => {}
            }
            let Some(&byte) = self.reader.fill_buf()?.first() else {
                return Ok(Err(Bad::CutOff));
            };
            prefix.push(byte);
            self.reader.consume(1);
        }
    }
}
