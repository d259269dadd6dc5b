//! Reads protobuf's wire format in place: just what encoded slices need.

#![allow(
    clippy::inline_always,
    reason = "called some twenty times an edge; calls instead cost a third of a merge, see benches/merge.rs"
)]

/// Why bytes are no slice, in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

const CUT_SHORT: Malformed = Malformed("a field is cut short");

/// The unread rest of one message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// One field: its number with its value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    /// Varint or fixed 64-bit value.
    Number(u32, u64),
    /// String, bytes, message or packed numbers.
    Bytes(u32, &'a [u8]),
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field; `None` at the end. Fixed 32-bit values, which slices do not use, are skipped.
    #[inline(always)]
    pub(super) fn field(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        while !self.rest.is_empty() {
            let tag = self.varint()?;
            let Ok(number @ 1..) = u32::try_from(tag >> 3) else {
                return Err(Malformed("a field number is impossible"));
            };
            match tag & 7 {
                0 => return Ok(Some(Field::Number(number, self.varint()?))),
                1 => {
                    let bytes = self.take(8)?.try_into().map_err(|_| CUT_SHORT)?;
                    return Ok(Some(Field::Number(number, u64::from_le_bytes(bytes))));
                }
                2 => {
                    let length = usize::try_from(self.varint()?).map_err(|_| CUT_SHORT)?;
                    return Ok(Some(Field::Bytes(number, self.take(length)?)));
                }
                5 => _ = self.take(4)?,
                _ => return Err(Malformed("a wire type is unknown")),
            }
        }
        Ok(None)
    }

    /// The value of field `number` (below 16) if that is what comes next, else 0, as proto3 leaves zeros out. Reading
    /// fields in their usual order this way costs well-predicted branches instead of a jump each.
    #[inline(always)]
    pub(super) fn number_if_next(&mut self, number: u8) -> Result<u64, Malformed> {
        match self.rest {
            [tag, rest @ ..] if *tag == number << 3 => {
                self.rest = rest;
                self.varint()
            }
            _ => Ok(0),
        }
    }

    /// The bytes of field `number` (below 16) if that is what comes next.
    #[inline(always)]
    pub(super) fn bytes_if_next(&mut self, number: u8) -> Result<Option<&'a [u8]>, Malformed> {
        match self.rest {
            [tag, rest @ ..] if *tag == number << 3 | 2 => {
                self.rest = rest;
                let length = usize::try_from(self.varint()?).map_err(|_| CUT_SHORT)?;
                self.take(length).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The next number; most are one byte long.
    #[inline(always)]
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [low, rest @ ..] if *low < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*low))
            }
            _ => self.long_varint(),
        }
    }

    /// A number of up to eight bytes where eight can be read at once: no loop, since lengths differ from call to call
    /// and a loop's end is guessed wrong. See benches/merge.rs.
    #[inline]
    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let Some(word) = self.rest.first_chunk::<8>() else {
            return self.slow_varint();
        };
        let word = u64::from_le_bytes(*word);
        let ends = !word & 0x8080_8080_8080_8080;
        if ends == 0 {
            return self.slow_varint();
        }
        // All bits up to the end of the first byte without a continuation bit.
        let word = word & (ends ^ (ends - 1));
        self.rest = &self.rest[(ends.trailing_zeros() / 8) as usize + 1..];
        let word = (word & 0x007f_007f_007f_007f) | (word & 0x7f00_7f00_7f00_7f00) >> 1;
        let word = (word & 0x0000_3fff_0000_3fff) | (word & 0x3fff_0000_3fff_0000) >> 2;
        Ok((word & 0x0fff_ffff) | (word & 0x0fff_ffff_0000_0000) >> 4)
    }

    #[cold]
    fn slow_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (at, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                if at == 9 && *byte > 1 {
                    break;
                }
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(Malformed("a number is cut short or too long"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline(always)]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CUT_SHORT)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// A number that must fit 32 bits.
#[inline]
pub(super) fn narrow(value: u64) -> Result<u32, Malformed> {
    u32::try_from(value).map_err(|_| Malformed("a number exceeds 32 bits"))
}

/// A zigzag-encoded number.
#[inline]
pub(super) fn signed(value: u64) -> Result<i32, Malformed> {
    let value = narrow(value)?;
    Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}
