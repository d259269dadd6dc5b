//! Files of which no more is read than they may hold.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The content of a file of at most `max_bytes`; one that holds more is an error that says so.
pub(crate) fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?
        .take(max_bytes + 1)
        .read_to_end(&mut content)?;
    if content.len() as u64 > max_bytes {
        let why = format!("holds more than {} KiB", max_bytes >> 10);
        return Err(io::Error::other(why));
    }
    Ok(content)
}
