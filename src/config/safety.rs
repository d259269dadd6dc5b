//! Values of the keys that guard the API: files.

use std::path::PathBuf;

use super::keys::Api;
use super::value::Value;

/// A file, or none. What it holds is read when the daemon starts, and again when it changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub struct FilePath(pub Option<PathBuf>);

// === impl Api ===

impl Api {
    /// How a URL of it begins.
    pub fn scheme(&self) -> &'static str {
        match self.tls_cert.0 {
            Some(_) => "https",
            None => "http",
        }
    }
}

// === impl FilePath ===

impl Value for FilePath {
    const KIND: &'static str = "a file's path or `none`";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Err(format!("expected {}", Self::KIND)),
            "none" => Ok(Self(None)),
            path => Ok(Self(Some(path.into()))),
        }
    }

    // Quoted where YAML could read something else out of it.
    fn show(&self) -> String {
        let Some(path) = &self.0 else {
            return "none".to_owned();
        };
        let text = path.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if text.starts_with(['/', '.']) && text.chars().all(plain) {
            return text.into_owned();
        }
        serde_json::Value::from(text).to_string()
    }
}
