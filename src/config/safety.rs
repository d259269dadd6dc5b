//! Values of the keys that guard the API: origins and files.

use std::path::PathBuf;

use super::keys::Api;
use super::raw::Raw;
use super::value::Value;

/// Web origins, exactly as browsers write them in `Origin` (RFC 6454, 6.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub struct Origins(pub Vec<String>);

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

// === impl Origins ===

impl Origins {
    /// Most origins in the list.
    const MOST: usize = 64;

    fn checked(self) -> Result<Self, String> {
        for origin in &self.0 {
            check_origin(origin).map_err(|why| format!("`{origin}` {why}"))?;
        }
        match self.0.len() {
            0..=Self::MOST => Ok(self),
            more => Err(format!("has {more} origins; at most {}", Self::MOST)),
        }
    }
}

impl Value for Origins {
    const KIND: &'static str =
        "a list of web origins (`[https://a.example]`; `a,b` outside a file)";

    fn parse(text: &str) -> Result<Self, String> {
        Self(Vec::parse(text)?).checked()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let origins = Vec::read(raw).map_err(|_| format!("expected {}", Self::KIND))?;
        Self(origins).checked()
    }

    // Quoted: an address in brackets would begin a list of its own.
    fn show(&self) -> String {
        let quoted = self.0.iter().map(|origin| format!("\"{origin}\""));
        format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
    }
}

/// Compared byte by byte with what browsers send, anything they never send would only look as if it counted.
fn check_origin(text: &str) -> Result<(), &'static str> {
    const FORM: &str = "is no origin, as in `https://grafana.example` or `http://localhost:3000`";
    match text {
        "*" => return Err("would let every page that anybody opens read the graph; list origins"),
        "null" => return Err("is what any sandboxed page sends; list origins"),
        _ => {}
    }
    let (scheme, authority) = text.split_once("://").ok_or(FORM)?;
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("has capitals, which browsers send in small letters");
    }
    if authority.contains(['/', '?', '#', '@']) {
        return Err("has more than scheme, host and port; leave out what follows, a last `/` too");
    }
    let uri: http::Uri = text.parse().map_err(|_| FORM)?;
    let named = uri
        .authority()
        .filter(|authority| !authority.host().is_empty());
    let port = named.ok_or(FORM)?.port_u16();
    if authority.ends_with(':') || authority.contains(['*', '"', '\\', ',', '\'']) {
        return Err(FORM);
    }
    match (scheme, port) {
        ("http", Some(80)) | ("https", Some(443)) => {
            Err("names the usual port, which browsers leave out")
        }
        _ => Ok(()),
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
