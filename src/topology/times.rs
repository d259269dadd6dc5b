//! Durations and instants as users write them.

use jiff::Timestamp;

/// The end of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum At {
    /// The newest sealed second.
    #[default]
    Newest,
    /// A unix second.
    Unix(u64),
    /// So many seconds before now.
    Ago(u64),
}

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// The last second that can be written in every time zone: 9999-12-30T22:00:00Z.
const LAST_UNIX_S: u64 = 253_402_207_200;

/// `5m`, `90s`, `1h30m`: whole numbers with the units d, h, m, s, largest first. Returns seconds, at least 1.
pub fn duration(text: &str) -> Result<u64, String> {
    let wrong = || "must be a length such as `90s`, `5m` or `1h30m`".to_owned();
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = rest[digits..].chars().next().ok_or_else(wrong)?;
        let (_, seconds) = units.find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        total = number
            .checked_mul(*seconds)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(wrong)?;
        rest = &rest[digits + 1..];
    }
    if total == 0 { Err(wrong()) } else { Ok(total) }
}

/// `now`, unix seconds, `-10m`, or RFC 3339. A fraction of a second is cut off.
pub fn at(text: &str) -> Result<At, String> {
    let wrong = || "must be RFC 3339, unix seconds, or an age such as `-10m`".to_owned();
    if text == "now" {
        return Ok(At::Newest);
    }
    if let Some(age) = text.strip_prefix('-') {
        return duration(age).map(At::Ago).map_err(|_| wrong());
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let second: u64 = text.parse().map_err(|_| wrong())?;
        return (second <= LAST_UNIX_S)
            .then_some(At::Unix(second))
            .ok_or_else(wrong);
    }
    // A `+` of a zone offset that was not percent-encoded arrives as a space.
    let instant: Timestamp = text.replace(' ', "+").parse().map_err(|_| wrong())?;
    u64::try_from(instant.as_second())
        .map(At::Unix)
        .map_err(|_| wrong())
}

/// RFC 3339 in UTC. Later seconds than can be written are shown as the last that can.
pub fn rfc3339(unix_s: u64) -> String {
    let second = i64::try_from(unix_s.min(LAST_UNIX_S)).unwrap_or_default();
    Timestamp::from_second(second)
        .unwrap_or_default()
        .to_string()
}
