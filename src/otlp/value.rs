//! One attribute: a protobuf `KeyValue` and the few kinds of `AnyValue` that any rule uses.

#![expect(
    clippy::inline_always,
    reason = "values then stay in registers; through memory the walk is slower by half (benches/walk.rs)"
)]

use super::Malformed;
use super::wire::{Place, Reader, fixed64, len, varint};
use crate::span::Weight;

/// The longest name kept, in bytes; a longer string is cut on a character boundary (reliability: hostile names).
pub(super) const MAX_TEXT: usize = 256;

/// What a recognised attribute holds. Two words, so that it travels in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Value {
    /// None, bytes, an array, a list or a string index: nothing that names or numbers anything here.
    #[default]
    Other,
    /// Checked UTF-8.
    Text(Place),
    Int(i64),
    Bool(bool),
    /// The bits of a double.
    Double(u64),
}

mod key_value {
    pub(super) const KNOWN: u32 = 1 << 1 | 1 << 2 | 1 << 3;
    pub(super) const KEY: u32 = super::len(1);
    pub(super) const VALUE: u32 = super::len(2);
    pub(super) const KEY_STRINDEX: u32 = super::varint(3);
}

mod any_value {
    pub(super) const KNOWN: u32 = 0b1_1111_1110;
    pub(super) const STRING: u32 = super::len(1);
    pub(super) const BOOL: u32 = super::varint(2);
    pub(super) const INT: u32 = super::varint(3);
    pub(super) const DOUBLE: u32 = super::fixed64(4);
    pub(super) const ARRAY: u32 = super::len(5);
    pub(super) const KVLIST: u32 = super::len(6);
    pub(super) const BYTES: u32 = super::len(7);
    pub(super) const STRING_STRINDEX: u32 = super::varint(8);
}

/// Reads one `KeyValue`. `find` says whether anybody wants its key; only then is the value looked into.
/// The last key counts; values sent in pieces merge, which for a oneof means the last member set.
#[inline(always)]
pub(super) fn read_attribute<K>(
    mut message: Reader<'_>,
    find: impl FnOnce(&[u8]) -> Option<K>,
) -> Result<Option<(K, Value)>, Malformed> {
    let whole = message;
    let mut name: &[u8] = b"";
    let mut value = None;
    let mut in_pieces = false;
    while message.more() {
        match message.key()? {
            key_value::KEY => name = message.bytes()?,
            key_value::VALUE => {
                in_pieces = value.is_some();
                value = Some(message.message()?);
            }
            key_value::KEY_STRINDEX => drop(message.varint()?),
            key => message.skip_unknown(key, key_value::KNOWN)?,
        }
    }
    let Some(found) = find(name) else {
        return Ok(None);
    };
    let value = match value {
        Some(value) if !in_pieces => read_any_value(value, Value::Other)?,
        _ => read_pieces(whole)?,
    };
    Ok(Some((found, value)))
}

#[cold]
fn read_pieces(mut message: Reader<'_>) -> Result<Value, Malformed> {
    let mut value = Value::Other;
    while message.more() {
        match message.key()? {
            key_value::VALUE => value = read_any_value(message.message()?, value)?,
            key => message.skip(key)?,
        }
    }
    Ok(value)
}

#[inline(always)]
fn read_any_value(mut message: Reader<'_>, before: Value) -> Result<Value, Malformed> {
    let mut value = before;
    while message.more() {
        value = match message.key()? {
            any_value::STRING => Value::Text(read_text(&mut message)?),
            any_value::BOOL => Value::Bool(message.varint()? != 0),
            any_value::INT => Value::Int(message.varint()?.cast_signed()),
            key => read_other(&mut message, key, value)?,
        };
    }
    Ok(value)
}

#[inline(always)]
fn read_other(message: &mut Reader<'_>, key: u32, before: Value) -> Result<Value, Malformed> {
    match key {
        any_value::DOUBLE => Ok(Value::Double(message.fixed64()?)),
        any_value::ARRAY | any_value::KVLIST | any_value::BYTES | any_value::STRING_STRINDEX => {
            message.skip(key)?;
            Ok(Value::Other)
        }
        _ => {
            message.skip_unknown(key, any_value::KNOWN)?;
            Ok(before)
        }
    }
}

#[inline(always)]
fn read_text(message: &mut Reader<'_>) -> Result<Place, Malformed> {
    let bytes = message.bytes()?;
    let start = message.at() - bytes.len();
    if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
        return Ok(Place::new(start, bytes.len()));
    }
    message.malformed("invalid UTF-8 in an attribute that is used")
}

// === impl Value ===

impl Value {
    /// Where its text lies, cut to [`MAX_TEXT`]; `None` unless it is a non-empty string.
    pub(super) fn name(self, source: &[u8]) -> Option<Place> {
        let text = self.text()?;
        Some(match text.len as usize {
            0..=MAX_TEXT => text,
            _ => cut(text, source),
        })
    }

    /// Where its text lies, whole.
    pub(super) fn text(self) -> Option<Place> {
        match self {
            Self::Text(text) => Some(text).filter(|text| text.len != 0),
            _ => None,
        }
    }

    /// The sampling weight it says: a probability as a number, or as a text that is one.
    pub(super) fn weight(self, source: &[u8]) -> Option<Weight> {
        let probability = match self {
            Self::Double(bits) => f64::from_bits(bits),
            Self::Int(1) => 1.0,
            Self::Text(text) => std::str::from_utf8(text.of(source)).ok()?.parse().ok()?,
            Self::Int(_) | Self::Bool(_) | Self::Other => return None,
        };
        Weight::of_probability(probability)
    }

    /// Its number: an integer, or a string of decimal digits.
    pub(super) fn number(self, source: &[u8]) -> Option<i64> {
        match self {
            Self::Int(number) => Some(number),
            Self::Text(text) if text.of(source).iter().all(u8::is_ascii_digit) => {
                std::str::from_utf8(text.of(source)).ok()?.parse().ok()
            }
            _ => None,
        }
    }
}

/// The first [`MAX_TEXT`] bytes of checked UTF-8, or as many as end where a character does.
fn cut(text: Place, source: &[u8]) -> Place {
    let bytes = text.of(source);
    let is_inside = |byte: &u8| byte & 0xc0 == 0x80;
    let mut end = MAX_TEXT;
    while bytes.get(end).is_some_and(is_inside) {
        end -= 1;
    }
    Place::new(text.start as usize, end)
}
