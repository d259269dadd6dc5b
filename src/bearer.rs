//! Bearer tokens (RFC 6750): how a file holds them, and whether what a request shows is one of them.
//!
//! Of tokens that are asked for only digests are kept, and none is ever printed: not in errors, not by `Debug`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// Most bytes of a file of tokens.
pub const MAX_FILE: u64 = 64 << 10;

/// Most tokens in a file.
const MAX_TOKENS: usize = 64;

/// Least and most characters of a token. Sixteen random ones are beyond guessing.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=512;

/// One token as written: visible ASCII.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    shown: HeaderValue,
}

/// What is wrong with a file of tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTokens {
    /// Nobody could be let in.
    #[error("holds no token")]
    None,
    /// More than a rotation needs.
    #[error("holds more than {MAX_TOKENS} tokens")]
    TooMany,
    /// Not one token.
    #[error("line {line} is no token: {} to {} visible ASCII characters without a space", LENGTH.start(), LENGTH.end())]
    Line {
        /// From 1.
        line: usize,
    },
}

/// Who may pass: the tokens that count now. Clones share them, and what they refused.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    digests: RwLock<Vec<[u8; 32]>>,
    refused: AtomicU64,
}

/// The tokens of a file, one a line; blank lines and those that begin with `#` are passed over.
pub fn parse(text: &[u8]) -> Result<Vec<Token>, BadTokens> {
    let mut tokens = Vec::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if tokens.len() == MAX_TOKENS {
            return Err(BadTokens::TooMany);
        }
        tokens.push(Token::read(line).ok_or(BadTokens::Line { line: at + 1 })?);
    }
    if tokens.is_empty() {
        return Err(BadTokens::None);
    }
    Ok(tokens)
}

// === impl Token ===

impl Token {
    fn read(bytes: &[u8]) -> Option<Self> {
        let fits = LENGTH.contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        let text = std::str::from_utf8(bytes).ok().filter(|_| fits)?.to_owned();
        let mut shown = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
        shown.set_sensitive(true);
        Some(Self { text, shown })
    }

    /// The value of `Authorization` that shows it.
    pub fn shown(&self) -> HeaderValue {
        self.shown.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

// === impl Gate ===

impl Gate {
    /// Open to these.
    pub fn new(tokens: &[Token]) -> Self {
        Self(Arc::new(Inner {
            digests: RwLock::new(digests(tokens)),
            refused: AtomicU64::new(0),
        }))
    }

    /// From now on open to these only.
    pub fn replace(&self, tokens: &[Token]) {
        *self.0.digests.write() = digests(tokens);
    }

    /// Whether the request shows one of the tokens; counts it if not. How long that takes depends on how much is shown
    /// and on how many tokens there are, never on what they are.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let admitted = shown(headers).is_some_and(|token| {
            let digest: [u8; 32] = Sha256::digest(token).into();
            let digests = self.0.digests.read();
            let each = digests.iter().map(|known| known.ct_eq(&digest));
            each.fold(Choice::from(0), |any, one| any | one).into()
        });
        if !admitted {
            self.0.refused.fetch_add(1, Relaxed);
        }
        admitted
    }

    /// Requests refused so far.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Relaxed)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({} tokens)", self.0.digests.read().len())
    }
}

fn digests(tokens: &[Token]) -> Vec<[u8; 32]> {
    let digest = |token: &Token| Sha256::digest(&token.text).into();
    tokens.iter().map(digest).collect()
}

/// What follows `Bearer` (RFC 9110, 11.4: in any case) in the one `Authorization` there may be.
fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (field, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    let (scheme, token) = field.as_bytes().split_at_checked("Bearer".len())?;
    let token = token.strip_prefix(b" ")?.trim_ascii();
    let fits = scheme.eq_ignore_ascii_case(b"Bearer") && LENGTH.contains(&token.len());
    fits.then_some(token)
}
