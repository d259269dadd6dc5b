//! Defaults < file < environment < `--set` < flags: who said what, before and after the table reads it.

use std::collections::BTreeMap;

use super::error::{ConfigError, Origin};
use super::keys::SECTIONS;
use super::raw::{Field, Raw};
use super::table::Key;
use super::value::Value;

/// What was said for each key, the last word winning, and what each came to.
#[derive(Debug, Default)]
pub(super) struct Layers {
    said: BTreeMap<&'static str, (Raw, Origin)>,
    settled: Vec<Setting>,
}

/// One key as it will run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Dotted path.
    pub path: &'static str,
    /// Its value, as it could be written.
    pub value: String,
    /// Who said so.
    pub origin: Origin,
}

/// The key of that path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    let mut keys = SECTIONS.iter().flat_map(|section| section.keys);
    keys.find(|key| key.path == path)
}

// === impl Layers ===

impl Layers {
    /// Lays a whole file over what was said.
    pub(super) fn lay_file(&mut self, document: Raw) -> Result<(), ConfigError> {
        match document {
            Raw::Null => Ok(()),
            Raw::Map(fields) => self.lay_fields("", fields),
            Raw::Scalar(_) | Raw::List(_) => Err(ConfigError::SectionWithValue {
                section: "the file".to_owned(),
                origin: Origin::File { line: 1 },
                known: children_of(""),
            }),
        }
    }

    /// Lays one word over what was said; the key must exist.
    pub(super) fn lay(
        &mut self,
        path: &str,
        text: &str,
        origin: Origin,
    ) -> Result<(), ConfigError> {
        let key = find(path).ok_or_else(|| unknown(path, origin.clone()))?;
        self.said
            .insert(key.path, (Raw::Scalar(text.to_owned()), origin));
        Ok(())
    }

    fn lay_fields(&mut self, parent: &str, fields: Vec<Field>) -> Result<(), ConfigError> {
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        for field in fields {
            if let Some(first) = lines.insert(field.name.clone(), field.line) {
                let (key, again) = (join(parent, &field.name), field.line);
                return Err(ConfigError::Twice { key, first, again });
            }
            self.lay_field(parent, field)?;
        }
        Ok(())
    }

    fn lay_field(&mut self, parent: &str, field: Field) -> Result<(), ConfigError> {
        let path = join(parent, &field.name);
        let origin = Origin::File { line: field.line };
        if let Some(key) = find(&path) {
            self.said.insert(key.path, (field.value, origin));
            return Ok(());
        }
        if !is_section(&path) {
            return Err(unknown(&path, origin));
        }
        match field.value {
            Raw::Null => Ok(()),
            Raw::Map(fields) => self.lay_fields(&path, fields),
            Raw::Scalar(_) | Raw::List(_) => Err(ConfigError::SectionWithValue {
                known: children_of(&path),
                section: path,
                origin,
            }),
        }
    }

    /// The value of a key: what was said last, else its default.
    pub(super) fn value<V: Value>(&mut self, path: &'static str) -> Result<V, ConfigError> {
        let (raw, origin) = self.said.remove(path).unwrap_or_else(|| {
            let default = find(path).map_or("", |key| key.default);
            (Raw::Scalar(default.to_owned()), Origin::Default)
        });
        let checked = V::read(&raw).and_then(|value| in_range(path, value));
        let value = checked.map_err(|why| ConfigError::BadValue {
            key: path.to_owned(),
            value: written(&raw),
            origin: origin.clone(),
            why,
        })?;
        self.settle(path, value.show(), origin);
        Ok(value)
    }

    /// The value of a key that can be derived; `None` when nobody said another thing than `auto`.
    pub(super) fn value_unless_auto<V: Value>(
        &mut self,
        path: &'static str,
    ) -> Result<Option<V>, ConfigError> {
        match self.said.get(path) {
            None => Ok(None),
            Some((Raw::Scalar(text), _)) if text == "auto" => Ok(None),
            Some(_) => self.value(path).map(Some),
        }
    }

    /// Notes the derived value of a key.
    pub(super) fn derived<V: Value>(&mut self, path: &'static str, value: V) -> V {
        self.settle(path, value.show(), Origin::Derived);
        value
    }

    /// Every key as it was settled, in the order of the table.
    pub(super) fn into_settings(self) -> Vec<Setting> {
        self.settled
    }

    fn settle(&mut self, path: &'static str, value: String, origin: Origin) {
        self.settled.push(Setting {
            path,
            value,
            origin,
        });
    }
}

fn in_range<V: Value>(path: &str, value: V) -> Result<V, String> {
    let Some((low, high)) = find(path).and_then(|key| key.range) else {
        return Ok(value);
    };
    if (V::parse(low)?..=V::parse(high)?).contains(&value) {
        Ok(value)
    } else {
        Err(format!("must be between {low} and {high}"))
    }
}

fn unknown(path: &str, origin: Origin) -> ConfigError {
    // The longest part of it that exists is where the writer went astray.
    let mut parent = path;
    while let Some((before, _)) = parent.rsplit_once('.') {
        parent = before;
        if is_section(parent) {
            let known = children_of(parent);
            return ConfigError::UnknownKey {
                key: path.to_owned(),
                origin,
                known,
            };
        }
    }
    ConfigError::UnknownKey {
        key: path.to_owned(),
        origin,
        known: children_of(""),
    }
}

fn is_section(path: &str) -> bool {
    let below = |key: &Key| {
        key.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    SECTIONS.iter().flat_map(|section| section.keys).any(below)
}

fn children_of(path: &str) -> String {
    let prefix = join(path, "");
    let below = SECTIONS
        .iter()
        .flat_map(|section| section.keys)
        .filter_map(|key| key.path.strip_prefix(&prefix));
    let mut names: Vec<&str> = below.filter_map(|rest| rest.split('.').next()).collect();
    names.dedup();
    match path {
        "" => format!("the sections are {}", names.join(", ")),
        _ => format!("`{path}` holds {}", names.join(", ")),
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

fn written(raw: &Raw) -> String {
    match raw {
        Raw::Null => "null".to_owned(),
        Raw::Scalar(text) => text.clone(),
        Raw::List(items) => format!(
            "[{}]",
            items.iter().map(written).collect::<Vec<_>>().join(", ")
        ),
        Raw::Map(_) => "{…}".to_owned(),
    }
}
