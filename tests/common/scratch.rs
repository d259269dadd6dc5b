//! A directory of a test's own, gone when it is dropped.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use std::fs;
use std::path::PathBuf;

pub struct Scratch(PathBuf);

impl Scratch {
    /// `name` is one that no other test of the binary takes.
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("spangraph-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub fn path(&self, file: &str) -> String {
        self.0.join(file).to_str().unwrap().to_owned()
    }

    /// The file's path; what it held before is replaced in one go.
    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) -> String {
        let (path, new) = (self.path(file), self.path(&format!("{file}.new")));
        fs::write(&new, content).unwrap();
        fs::rename(new, &path).unwrap();
        path
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
