//! How each kind of value is read and written. Writing what was read and reading it again gives the same value.
//! The closed sets of words are in `words`.

use std::net::SocketAddr;
use std::time::Duration;

use super::raw::Raw;

/// A kind of value.
pub trait Value: PartialOrd + Sized {
    /// What it looks like, for people.
    const KIND: &'static str;
    /// Reads one scalar; the error says what is wrong with it, without naming the key.
    fn parse(text: &str) -> Result<Self, String>;
    /// Writes it as YAML that reads back as the same value.
    fn show(&self) -> String;
    /// Reads a node of the file; a list or map unless overridden is refused.
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Scalar(text) => Self::parse(text),
            Raw::Null => Err(format!("has no value; expected {}", Self::KIND)),
            Raw::List(_) | Raw::Map(_) => Err(format!("expected {}", Self::KIND)),
        }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Keys of attributes, in order of search.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub struct AttributeKeys(pub Vec<String>);

/// The key of an attribute, or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub struct AttributeKey(pub Option<String>);

const BYTE_UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];
const TIME_UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

// === impl ByteSize ===

impl ByteSize {
    /// That share of it, rounded down to whole MiB where that leaves anything.
    #[must_use]
    pub fn percent(self, share: u64) -> Self {
        let exact = self.0 / 100 * share + self.0 % 100 * share / 100;
        match exact >> 20 {
            0 => Self(exact),
            mib => Self(mib << 20),
        }
    }
}

impl Value for ByteSize {
    const KIND: &'static str = "bytes (`512MiB`, `1GiB`, `1048576`)";

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected {}", Self::KIND);
        let (digits, unit) = split_number(text);
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let shift = match unit {
            "" => 0,
            _ => BYTE_UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, shift)| *shift)
                .ok_or_else(wrong)?,
        };
        number
            .checked_mul(1 << shift)
            .map(Self)
            .ok_or_else(|| "is more bytes than 64 bits hold".to_owned())
    }

    fn show(&self) -> String {
        let whole = |shift: &u32| self.0 != 0 && self.0.trailing_zeros() >= *shift;
        match BYTE_UNITS.iter().find(|(_, shift)| whole(shift)) {
            Some((unit, shift)) if *shift > 0 => format!("{}{unit}", self.0 >> shift),
            _ => self.0.to_string(),
        }
    }
}

impl Value for Duration {
    const KIND: &'static str = "a duration (`500ms`, `10s`, `1m`, `1h30m`)";

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected {}", Self::KIND);
        let mut total_ms: u64 = 0;
        let mut rest = text;
        while !rest.is_empty() || text.is_empty() {
            let (digits, after) = split_number(rest);
            let number: u64 = digits.parse().map_err(|_| wrong())?;
            let end = after
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(after.len());
            let (unit, next) = after.split_at(end);
            let (_, factor) = TIME_UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(wrong)?;
            total_ms = number
                .checked_mul(*factor)
                .and_then(|ms| total_ms.checked_add(ms))
                .ok_or_else(|| "is too long".to_owned())?;
            rest = next;
        }
        Ok(Self::from_millis(total_ms))
    }

    fn show(&self) -> String {
        let ms = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let fits = |factor: u64| ms != 0 && ms.is_multiple_of(factor);
        match TIME_UNITS.iter().find(|(_, factor)| fits(*factor)) {
            Some((unit, factor)) => format!("{}{unit}", ms / factor),
            None => "0s".to_owned(),
        }
    }
}

impl Value for bool {
    const KIND: &'static str = "`true` or `false`";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("expected {}", Self::KIND))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const KIND: &'static str = "a whole number";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("expected {}", Self::KIND))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for f64 {
    const KIND: &'static str = "a number";

    fn parse(text: &str) -> Result<Self, String> {
        let number: Option<Self> = text.parse().ok().filter(|n: &Self| n.is_finite());
        number.ok_or_else(|| format!("expected {}", Self::KIND))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for SocketAddr {
    const KIND: &'static str = "an address and port (`127.0.0.1:4317`, `[::]:4317`)";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("expected {}", Self::KIND))
    }

    // Quoted: `[::]:4317` would begin a YAML list.
    fn show(&self) -> String {
        match self {
            Self::V4(v4) => v4.to_string(),
            Self::V6(v6) => format!("\"{v6}\""),
        }
    }
}

impl Value for Vec<String> {
    const KIND: &'static str = "a list of words (`[a, b]`; `a,b` outside a file)";

    fn parse(text: &str) -> Result<Self, String> {
        let bare = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        let words = bare.split(',').map(str::trim).filter(|w| !w.is_empty());
        Ok(words.map(str::to_owned).collect())
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let wrong = || format!("expected {}", Self::KIND);
        match raw {
            Raw::Scalar(text) => Self::parse(text),
            Raw::List(items) => items
                .iter()
                .map(|item| item.scalar().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            Raw::Null | Raw::Map(_) => Err(wrong()),
        }
    }

    fn show(&self) -> String {
        format!("[{}]", self.join(", "))
    }
}

// === impl AttributeKeys ===

impl AttributeKeys {
    /// Most keys in one list.
    pub const MOST: usize = 8;

    fn checked(self) -> Result<Self, String> {
        if let Some(key) = self.0.iter().find(|key| !is_attribute_key(key)) {
            return Err(format!("`{key}` is no attribute key"));
        }
        match self.0.len() {
            0..=Self::MOST => Ok(self),
            more => Err(format!("has {more} keys; at most {}", Self::MOST)),
        }
    }
}

impl Value for AttributeKeys {
    const KIND: &'static str =
        "a list of at most 8 attribute keys (`[a.b, c]`; `a.b,c` outside a file)";

    fn parse(text: &str) -> Result<Self, String> {
        Self(Vec::parse(text)?).checked()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let keys = Vec::read(raw).map_err(|_| format!("expected {}", Self::KIND))?;
        Self(keys).checked()
    }

    fn show(&self) -> String {
        self.0.show()
    }
}

impl Value for AttributeKey {
    const KIND: &'static str = "an attribute key (`a.b`) or `none`";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            key if is_attribute_key(key) => Ok(Self(Some(key.to_owned()))),
            other => Err(format!("`{other}` is no attribute key")),
        }
    }

    fn show(&self) -> String {
        self.0.as_deref().unwrap_or("none").to_owned()
    }
}

/// What OpenTelemetry's naming rules and everybody's own keys are made of, and what reads back from any layer.
fn is_attribute_key(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    !key.is_empty() && key.len() <= 256 && key.chars().all(plain)
}

fn split_number(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}
