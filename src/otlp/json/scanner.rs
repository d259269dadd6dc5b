//! JSON (RFC 8259) read in place: values are found and skipped, never built. One counter instead of a stack of calls,
//! so that depth is a number with a bound.

use super::super::Malformed;

/// Most arrays and objects around a value, the document's own object included. Deeper is malformed.
const MAX_DEPTH: usize = 512;

/// A position in a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanner<'a> {
    json: &'a [u8],
    at: usize,
}

/// A string as it stands between its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawString<'a> {
    pub(super) raw: &'a [u8],
    /// It has escapes.
    pub(super) escaped: bool,
}

/// Which brackets are open around a value, the outermost in the lowest bit; set for an object.
#[derive(Debug, Default)]
struct Open {
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
}

// === impl Scanner ===

impl<'a> Scanner<'a> {
    /// At the beginning of `json`, after a byte order mark.
    pub(super) fn new(json: &'a [u8]) -> Self {
        let at = if json.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        Self { json, at }
    }

    /// The same document, at the value that begins at `at`.
    pub(super) fn value_at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    #[cold]
    pub(super) fn malformed<T>(self, what: &'static str) -> Result<T, Malformed> {
        Err(Malformed {
            what,
            offset: self.at,
        })
    }

    /// The next byte that is no white space; `None` at the end.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.json.get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Takes `byte` if it comes next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    /// Nothing but white space may be left.
    pub(super) fn end(mut self) -> Result<(), Malformed> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.malformed("bytes after the end of the document"),
        }
    }

    /// Reads an object to its end and says where the values of `names` begin: the last one of a repeated name, none
    /// for a `null`.
    pub(super) fn members<const N: usize>(
        &mut self,
        names: [&str; N],
    ) -> Result<[Option<usize>; N], Malformed> {
        let mut found = [None; N];
        if !self.take(b'{') {
            return self.malformed("expected an object");
        }
        if self.take(b'}') {
            return Ok(found);
        }
        loop {
            let name = self.name()?;
            let index = names.iter().position(|wanted| name.is(wanted));
            let is_null = self.peek() == Some(b'n');
            let at = self.at;
            self.skip()?;
            if let Some(index) = index {
                found[index] = (!is_null).then_some(at);
            }
            if self.take(b'}') {
                return Ok(found);
            }
            if !self.take(b',') {
                return self.malformed("expected `,` or `}`");
            }
        }
    }

    fn name(&mut self) -> Result<RawString<'a>, Malformed> {
        let name = self.string()?;
        if self.take(b':') {
            Ok(name)
        } else {
            self.malformed("expected `:`")
        }
    }

    /// Skips one value and checks it.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        if self.peek() == Some(b'"') {
            return self.string().map(drop);
        }
        self.skip_nested()
    }

    fn skip_nested(&mut self) -> Result<(), Malformed> {
        let mut open = Open::default();
        loop {
            match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    open.push(true, *self)?;
                    if self.peek() != Some(b'}') {
                        self.name()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    open.push(false, *self)?;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                Some(b'"') => drop(self.string()?),
                Some(b'-' | b'0'..=b'9') => drop(self.number()?),
                _ => drop(self.literal()?),
            }
            if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    /// After a value: closes what ends here, up to the next value to come. Whether that was all.
    fn close(&mut self, open: &mut Open) -> Result<bool, Malformed> {
        while let Some(is_object) = open.innermost() {
            if self.take(if is_object { b'}' } else { b']' }) {
                open.depth -= 1;
                continue;
            }
            if !self.take(b',') {
                return self.malformed("expected `,` or a closing bracket");
            }
            if is_object {
                self.name()?;
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// `true`, `false` or `null`.
    pub(super) fn literal(&mut self) -> Result<&'static str, Malformed> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        for literal in ["true", "false", "null"] {
            if rest.starts_with(literal.as_bytes()) {
                self.at += literal.len();
                return Ok(literal);
            }
        }
        self.malformed("expected a value")
    }

    /// A number as written.
    pub(super) fn number(&mut self) -> Result<&'a [u8], Malformed> {
        self.peek();
        let start = self.at;
        self.take_if(b"-");
        if !self.take_if(b"0") {
            self.digits()?;
        }
        if self.take_if(b".") {
            self.digits()?;
        }
        if self.take_if(b"eE") {
            self.take_if(b"+-");
            self.digits()?;
        }
        Ok(self.json.get(start..self.at).unwrap_or_default())
    }

    fn take_if(&mut self, any: &[u8]) -> bool {
        let taken = self
            .json
            .get(self.at)
            .is_some_and(|byte| any.contains(byte));
        self.at += usize::from(taken);
        taken
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while self.take_if(b"0123456789") {}
        if self.at == start {
            return self.malformed("expected a digit");
        }
        Ok(())
    }

    /// A string, its escapes checked but not resolved.
    pub(super) fn string(&mut self) -> Result<RawString<'a>, Malformed> {
        if !self.take(b'"') {
            return self.malformed("expected a string");
        }
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.json.get(self.at..).unwrap_or_default();
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
            self.at += rest.iter().position(special).unwrap_or(rest.len());
            match self.json.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return self.malformed("control character in a string"),
                None => return self.malformed("string without an end"),
            }
            escaped = true;
        }
        let raw = self.json.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(RawString { raw, escaped })
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        let rest = self.json.get(self.at + 1..).unwrap_or_default();
        let len = match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', a, b, c, d, ..]
                if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
            {
                6
            }
            _ => return self.malformed("unknown escape in a string"),
        };
        self.at += len;
        Ok(())
    }
}

// === impl Open ===

impl Open {
    fn push(&mut self, is_object: bool, scanner: Scanner<'_>) -> Result<(), Malformed> {
        let word = self.objects.get_mut(self.depth / 64);
        let Some(word) = word.filter(|_| self.depth < MAX_DEPTH - 1) else {
            return scanner.malformed("nested more than 512 levels deep");
        };
        let bit = 1 << (self.depth % 64);
        *word = if is_object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    /// Whether the innermost open bracket is an object's; `None` when none is open.
    fn innermost(&self) -> Option<bool> {
        let depth = self.depth.checked_sub(1)?;
        Some(self.objects[depth / 64] >> (depth % 64) & 1 == 1)
    }
}

// === impl RawString ===

impl RawString<'_> {
    /// Whether it says `text`, which has nothing to escape.
    pub(super) fn is(&self, text: &str) -> bool {
        if !self.escaped {
            return self.raw == text.as_bytes();
        }
        let mut resolved = Vec::new();
        self.append_to(&mut resolved);
        resolved == text.as_bytes()
    }

    /// Appends it to `out`, escapes resolved; a lone surrogate becomes U+FFFD.
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        let mut rest = self.raw;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            let (plain, escape) = rest.split_at(at);
            out.extend_from_slice(plain);
            let (char, len) = resolve(escape);
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            rest = escape.get(len..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
    }
}

/// The character of a checked escape, and how many bytes it takes.
fn resolve(escape: &[u8]) -> (char, usize) {
    let char = match escape.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return resolve_unicode(escape),
        Some(other) => char::from(*other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (char, 2)
}

fn resolve_unicode(escape: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(0).unwrap_or(0xfffd);
    let mut decoded = char::decode_utf16([first].into_iter().chain(unit(6)));
    match decoded.next() {
        Some(Ok(char)) => (char, 6 * char.len_utf16()),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    }
}
