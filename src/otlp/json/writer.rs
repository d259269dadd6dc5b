//! Writes protobuf fields. A message's length is not known when it begins, so each takes five bytes, padded, which
//! the wire format allows and the walker reads.

use super::scanner::RawString;

/// The buffer written to.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

/// A message that is being written.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct Message {
    key: usize,
    body: usize,
}

/// Bytes of a length, padded: enough for any length below 32 GiB.
const LENGTH_BYTES: usize = 5;

// === impl Writer ===

impl Writer {
    pub(super) fn begin(&mut self, field: u32) -> Message {
        let key = self.bytes.len();
        self.raw_varint(u64::from(field) << 3 | 2);
        self.bytes.extend_from_slice(&[0; LENGTH_BYTES]);
        Message {
            key,
            body: self.bytes.len(),
        }
    }

    pub(super) fn end(&mut self, message: Message) {
        let mut len = self.bytes.len() - message.body;
        let slots = &mut self.bytes[message.body - LENGTH_BYTES..message.body];
        for (index, slot) in slots.iter_mut().enumerate() {
            let more = if index + 1 < LENGTH_BYTES { 0x80 } else { 0 };
            *slot = u8::try_from(len & 0x7f).unwrap_or_default() | more;
            len >>= 7;
        }
    }

    /// Takes back a message that was begun.
    pub(super) fn cancel(&mut self, message: Message) {
        self.bytes.truncate(message.key);
    }

    pub(super) fn varint(&mut self, field: u32, value: u64) {
        self.raw_varint(u64::from(field) << 3);
        self.raw_varint(value);
    }

    pub(super) fn fixed64(&mut self, field: u32, value: u64) {
        self.raw_varint(u64::from(field) << 3 | 1);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, field: u32, value: u32) {
        self.raw_varint(u64::from(field) << 3 | 5);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A string, its escapes resolved. Returns it as written.
    pub(super) fn string(&mut self, field: u32, text: RawString<'_>) -> &[u8] {
        let message = self.begin(field);
        let start = message.body;
        if text.escaped {
            text.append_to(&mut self.bytes);
        } else {
            self.bytes.extend_from_slice(text.raw);
        }
        self.end(message);
        &self.bytes[start..]
    }

    /// The bytes that hex digits stand for; a single zero byte when they are none.
    pub(super) fn hex(&mut self, field: u32, digits: RawString<'_>) {
        let message = self.begin(field);
        let start = self.bytes.len();
        for pair in digits.raw.chunks(2) {
            let Some(byte) = byte(pair) else {
                self.bytes.truncate(start);
                self.bytes.push(0);
                break;
            };
            self.bytes.push(byte);
        }
        self.end(message);
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes
                .push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
            value >>= 7;
        }
        self.bytes.push(u8::try_from(value).unwrap_or_default());
    }
}

fn byte(pair: &[u8]) -> Option<u8> {
    let [high, low] = pair else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
}
