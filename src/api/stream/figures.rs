//! What an element shows, in a form in which "did it move?" is quick to answer.

use serde_json::Value;

/// The numbers of an element, and everything else about it as one text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figures {
    /// In the order of the body.
    numbers: Vec<f64>,
    /// Names, words and nulls; each number is a `#`.
    words: String,
}

/// A number has moved when it differs by more than this share of what the reader holds.
const MOVED: f64 = 0.01;

/// What changes with nearly every call without a figure moving: it travels with its element, but sends none.
const RIDE_ALONG: [&str; 3] = ["first_seen", "last_seen", "exemplars"];

// === impl Figures ===

impl Figures {
    /// Of one node or edge of a body.
    pub(super) fn of(element: &Value) -> Self {
        let mut figures = Self {
            numbers: Vec::new(),
            words: String::new(),
        };
        figures.take(element);
        figures
    }

    /// Whether a reader that holds `self` must be told of `now`.
    pub(super) fn moved(&self, now: &Self) -> bool {
        self.words != now.words
            || self.numbers.len() != now.numbers.len()
            || self.numbers.iter().zip(&now.numbers).any(|(held, now)| {
                // Nothing is within a share of zero but zero itself.
                (now - held).abs() > held.abs() * MOVED
            })
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::Number(number) => {
                self.numbers.push(number.as_f64().unwrap_or(f64::NAN));
                self.words.push('#');
            }
            Value::Array(values) => {
                self.words.push('[');
                for value in values {
                    self.take(value);
                    self.words.push(',');
                }
                self.words.push(']');
            }
            Value::Object(fields) => {
                self.words.push('{');
                for (name, value) in fields {
                    if !RIDE_ALONG.contains(&&**name) {
                        self.word(name);
                        self.take(value);
                    }
                }
                self.words.push('}');
            }
            Value::String(text) => self.word(text),
            Value::Bool(flag) => self.words.push(if *flag { 't' } else { 'f' }),
            Value::Null => self.words.push('n'),
        }
    }

    /// Its length in front keeps one text from running into the next.
    fn word(&mut self, text: &str) {
        self.words.push_str(&text.len().to_string());
        self.words.push('"');
        self.words.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn moved(held: &Value, now: &Value) -> bool {
        Figures::of(held).moved(&Figures::of(now))
    }

    #[test]
    fn a_figure_moves_by_more_than_a_hundredth_of_what_is_held() {
        for (held, now, expected) in [
            (json!(1000), json!(1010), false),
            (json!(1000), json!(1011), true),
            (json!(1000), json!(989), true),
            (json!(0), json!(0), false),
            (json!(0), json!(1), true),
            (json!(null), json!(0), true),
            (json!(12.5), json!(null), true),
            (json!("ok"), json!("failing"), true),
            (json!(["a"]), json!(["a", "b"]), true),
            (json!([1, 2]), json!([12]), true),
            (json!(["ab", "c"]), json!(["a", "bc"]), true),
            (json!({"grpc": 1}), json!({"http": 1}), true),
        ] {
            let element = |value: &Value| json!({"id": "a", "value": value});
            assert_eq!(
                moved(&element(&held), &element(&now)),
                expected,
                "{held} {now}"
            );
        }
    }

    #[test]
    fn times_and_exemplars_alone_move_nothing() {
        let held = json!({"calls": 1, "last_seen": "a", "exemplars": []});
        assert!(!moved(
            &held,
            &json!({"calls": 1, "last_seen": "b", "exemplars": [1]})
        ));
    }
}
