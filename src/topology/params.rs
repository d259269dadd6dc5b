//! The parameters of a URL query, each taken once by whoever knows it; what nobody takes is an error.
//! Names and values are checked here and nowhere later.

/// Why a parameter cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidParam {
    /// Its name as sent; at most 200 bytes.
    pub name: String,
    /// Its value as sent; at most 200 bytes.
    pub value: String,
    /// Why, in words for whoever sent it.
    pub reason: String,
}

/// Parameters not taken yet, and what was wrong so far.
#[derive(Debug, Clone, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
    errors: Vec<InvalidParam>,
}

/// Most pairs of one query; more are an error.
const MAX_PAIRS: usize = 256;
/// Most errors reported of one query.
const MAX_ERRORS: usize = 16;
/// Bytes of a name or value kept in an error; whoever words it repeats fewer.
const MAX_SHOWN: usize = 200;

// === impl Params ===

impl Params {
    /// Splits and decodes a URL query (`a=b&c=d`, percent-encoded UTF-8, `+` for a space).
    pub fn decode(raw: &str) -> Self {
        let mut params = Self::default();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (unescape(name), unescape(value)) {
                _ if params.pairs.len() == MAX_PAIRS => {
                    params.reject("", "", &format!("more than {MAX_PAIRS} parameters"));
                    break;
                }
                (Some(name), Some(value)) => params.pairs.push((name, value)),
                _ => params.reject(name, value, "not percent-encoded UTF-8"),
            }
        }
        params
    }

    /// Adds a pair that was given by another way than the URL.
    pub fn add(&mut self, name: &str, value: &str) {
        self.pairs.push((name.to_owned(), value.to_owned()));
    }

    /// Takes every value of `name`, in the order sent.
    pub fn all(&mut self, name: &str) -> Vec<String> {
        let mut taken = Vec::new();
        self.pairs.retain_mut(|(key, value)| {
            let hit = key == name;
            if hit {
                taken.push(std::mem::take(value));
            }
            !hit
        });
        taken
    }

    /// Takes the value of `name`; a repeated one is an error.
    pub fn one(&mut self, name: &str) -> Option<String> {
        let mut values = self.all(name).into_iter();
        let first = values.next();
        if let Some(second) = values.next() {
            self.reject(name, &second, "given more than once");
        }
        first
    }

    /// Takes and reads the value of `name`.
    pub fn read<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let value = self.one(name)?;
        self.accept(name, &value, read)
    }

    /// Takes and reads every value of `name`.
    pub fn read_all<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let values = self.all(name);
        values
            .iter()
            .filter_map(|value| self.accept(name, value, &read))
            .collect()
    }

    /// Takes and reads every element of the comma-separated values of `name`.
    pub fn read_list<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let values = self.all(name);
        values
            .iter()
            .flat_map(|value| value.split(','))
            .filter_map(|element| self.accept(name, element, &read))
            .collect()
    }

    /// Notes that `name` is missing, unless something was wrong with it.
    pub fn require(&mut self, name: &str) {
        if self.errors.iter().all(|error| error.name != name) {
            self.reject(name, "", "is required");
        }
    }

    /// Notes an error.
    pub fn reject(&mut self, name: &str, value: &str, reason: &str) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(InvalidParam {
                name: cut(name),
                value: cut(value),
                reason: reason.to_owned(),
            });
        }
    }

    /// `Ok` when everything was taken and nothing was wrong.
    pub fn finish(mut self) -> Result<(), Vec<InvalidParam>> {
        for (name, value) in std::mem::take(&mut self.pairs) {
            self.reject(&name, &value, "unknown parameter");
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }

    fn accept<T>(
        &mut self,
        name: &str,
        value: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        read(value)
            .map_err(|reason| self.reject(name, value, &reason))
            .ok()
    }
}

/// Decodes `%XX` and `+`; `None` for a broken escape or anything but UTF-8.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(bytes.next()?)? * 16 + hex_digit(bytes.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(out).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_SHOWN)].to_owned()
}
