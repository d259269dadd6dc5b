//! The protobuf wire format, read in place: keys, varints, lengths, and skipping without descending.
//!
//! The readers are inlined whole and hand themselves on by value where they are not, so that a message's position
//! stays in a register: through memory the walk takes twice as long (benches/walk.rs).
//!
//! Accepts and rejects what prost does: varints of at most ten bytes and 64 bits, keys of at most 32 bits, field
//! number 0 and wire types 6 and 7 refused, groups balanced and at most a hundred levels deep, messages included.

#![expect(
    clippy::inline_always,
    reason = "a position kept in a register; see above"
)]

use super::Malformed;

/// Reads fields up to the end of one message. Offsets are those of the whole request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// Offset of the message's end.
    end: usize,
    /// Levels of nesting left for unknown groups: a hundred less the messages around this one, as in prost.
    depth: u8,
}

/// Where some bytes lie: in the request or, for a resource sent in pieces, in the joined copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: u32,
    pub(super) len: u32,
}

const MAX_DEPTH: u8 = 100;

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LEN: u32 = 2;
const START_GROUP: u32 = 3;
const END_GROUP: u32 = 4;
const FIXED32: u32 = 5;

/// The key of a varint field.
pub(super) const fn varint(field: u32) -> u32 {
    field << 3 | VARINT
}

/// The key of a fixed 64-bit field.
pub(super) const fn fixed64(field: u32) -> u32 {
    field << 3 | FIXED64
}

/// The key of a fixed 32-bit field.
pub(super) const fn fixed32(field: u32) -> u32 {
    field << 3 | FIXED32
}

/// The key of a string, bytes or message field.
pub(super) const fn len(field: u32) -> u32 {
    field << 3 | LEN
}

/// An offset or length as rows keep it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`walk` refuses requests of 4 GiB and more"
)]
pub(super) fn offset(at: usize) -> u32 {
    at as u32
}

// === impl Place ===

impl Place {
    pub(super) fn new(start: usize, len: usize) -> Self {
        Self {
            start: offset(start),
            len: offset(len),
        }
    }

    /// The bytes it names in `source`.
    pub(super) fn of(self, source: &[u8]) -> &[u8] {
        let start = self.start as usize;
        source
            .get(start..start + self.len as usize)
            .unwrap_or_default()
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Reads `bytes` from their beginning, as the outermost message.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            end: bytes.len(),
            depth: MAX_DEPTH,
        }
    }

    /// Whether the message has more fields.
    #[inline(always)]
    pub(super) fn more(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Offset of the next byte.
    #[inline(always)]
    pub(super) fn at(&self) -> usize {
        self.end - self.rest.len()
    }

    /// All that is left, as a place.
    #[inline(always)]
    pub(super) fn rest(&self) -> Place {
        Place::new(self.at(), self.rest.len())
    }

    /// Reads a part of what is left once more.
    #[inline(always)]
    pub(super) fn within(&self, place: Place) -> Self {
        let start = (place.start as usize).saturating_sub(self.at());
        let end = start + place.len as usize;
        Self {
            rest: self.rest.get(start..end).unwrap_or_default(),
            end: self.at() + end,
            depth: self.depth,
        }
    }

    #[cold]
    pub(super) fn malformed<T>(self, what: &'static str) -> Result<T, Malformed> {
        Err(Malformed {
            what,
            offset: self.at(),
        })
    }

    /// Field number and wire type.
    #[inline(always)]
    pub(super) fn key(&mut self) -> Result<u32, Malformed> {
        let start = *self;
        let key = self.varint()?;
        match u32::try_from(key) {
            Ok(key) if key >= 1 << 3 && key & 7 <= FIXED32 => Ok(key),
            _ => start.malformed("invalid field number or wire type"),
        }
    }

    /// Whether the next field's key is `key`, one byte long; if so, it is taken.
    #[inline(always)]
    pub(super) fn take_key(&mut self, key: u32) -> bool {
        match self.rest {
            [first, rest @ ..] if u32::from(*first) == key => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline(always)]
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        // Lengths and keys of one byte, then lengths of two, are nearly all there are.
        match self.rest {
            [a, rest @ ..] if *a < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*a))
            }
            [a, b, rest @ ..] if *b < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*a & 0x7f) | u64::from(*b) << 7)
            }
            _ => {
                let (value, rest) = self.long_varint()?;
                self.rest = rest;
                Ok(value)
            }
        }
    }

    #[cold]
    fn long_varint(self) -> Result<(u64, &'a [u8]), Malformed> {
        let mut value = 0;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                if index == 9 && *byte > 1 {
                    break;
                }
                return Ok((value, self.rest.get(index + 1..).unwrap_or_default()));
            }
        }
        self.malformed("varint cut short or of more than 64 bits")
    }

    /// An int32, uint32 or enum: the low 32 bits, as every protobuf reader takes them.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the wire format says so: int32 is sent as 64 bits, sign extended"
    )]
    #[inline(always)]
    pub(super) fn varint32(&mut self) -> Result<u32, Malformed> {
        Ok(self.varint()? as u32)
    }

    #[inline(always)]
    pub(super) fn fixed64(&mut self) -> Result<u64, Malformed> {
        self.fixed().map(u64::from_le_bytes)
    }

    #[inline(always)]
    pub(super) fn fixed32(&mut self) -> Result<u32, Malformed> {
        self.fixed().map(u32::from_le_bytes)
    }

    #[inline(always)]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let Some((value, rest)) = self.rest.split_first_chunk() else {
            return self.malformed("truncated number");
        };
        self.rest = rest;
        Ok(*value)
    }

    /// A length-delimited field's bytes; they end at `self.at()`.
    #[inline(always)]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        let Some((bytes, rest)) = self.rest.split_at_checked(len) else {
            return self.malformed("length beyond the end of its message");
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// A length-delimited field's place.
    #[inline(always)]
    pub(super) fn place(&mut self) -> Result<Place, Malformed> {
        let len = self.bytes()?.len();
        Ok(Place::new(self.at() - len, len))
    }

    /// A nested message.
    #[inline(always)]
    pub(super) fn message(&mut self) -> Result<Self, Malformed> {
        Ok(Self {
            rest: self.bytes()?,
            end: self.at(),
            depth: self.depth.saturating_sub(1),
        })
    }

    /// Skips a field that the message's own `match` did not take. `known` has a bit for every field number the
    /// message defines: one of those can only come here with the wrong wire type.
    #[inline(always)]
    pub(super) fn skip_unknown(&mut self, key: u32, known: u32) -> Result<(), Malformed> {
        if key >> 3 < u32::BITS && known >> (key >> 3) & 1 == 1 {
            return self.malformed("field with the wrong wire type");
        }
        self.skip(key)
    }

    /// Skips a field whatever it is, without looking into it.
    #[inline(always)]
    pub(super) fn skip(&mut self, key: u32) -> Result<(), Malformed> {
        self.rest = self.after(key, self.depth)?;
        Ok(())
    }

    /// What comes after the field whose key was just read.
    fn after(mut self, key: u32, depth: u8) -> Result<&'a [u8], Malformed> {
        if depth == 0 {
            return self.malformed("groups nested too deeply");
        }
        match key & 7 {
            VARINT => drop(self.varint()?),
            FIXED64 => drop(self.fixed64()?),
            LEN => drop(self.bytes()?),
            START_GROUP => return self.after_group(key >> 3, depth - 1),
            END_GROUP => return self.malformed("end of a group that was not begun"),
            _ => drop(self.fixed32()?),
        }
        Ok(self.rest)
    }

    fn after_group(mut self, field: u32, depth: u8) -> Result<&'a [u8], Malformed> {
        loop {
            let key = self.key()?;
            if key == field << 3 | END_GROUP {
                return Ok(self.rest);
            }
            self.rest = self.after(key, depth)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guarantees: every length of varint reads as prost reads it, the overlong and the truncated included.
    #[test]
    fn varints_read_as_prost_reads_them() {
        for len in 0..12 {
            for last in [0x00, 0x01, 0x02, 0x7f, 0x80, 0xff] {
                let mut bytes = vec![0xff; len];
                bytes.push(last);
                let theirs = prost::encoding::decode_varint(&mut bytes.as_slice()).ok();
                assert_eq!(Reader::new(&bytes).varint().ok(), theirs, "{bytes:x?}");
            }
        }
    }

    /// Guarantees: groups nest as deep as prost lets them and not one level deeper; the stack is never at risk.
    #[test]
    fn groups_are_skipped_to_a_fixed_depth() {
        for depth in [1, 99, 100, 101, 1_000_000] {
            let mut bytes = vec![9 << 3 | 3; depth];
            bytes.extend(vec![9 << 3 | 4; depth]);
            let mut reader = Reader::new(&bytes);
            let read = reader.key().and_then(|key| reader.skip(key));
            assert_eq!(read.is_ok(), depth <= 100, "{depth}");
        }
    }
}
