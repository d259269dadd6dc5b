//! One text per meaning: what a body repeats of its query, and the key under which it is remembered.

use std::fmt::Write as _;

use super::query::{Echo, GroupBy, Query};
use super::times::{At, rfc3339};
use crate::glob::Glob;

impl Query {
    /// Every parameter that differs from its default, normalised, in a fixed order.
    pub fn echo(&self) -> Vec<(&'static str, Echo)> {
        let default = Self::default();
        let mut echo = Vec::new();
        let mut put = |differs: bool, name, value: &dyn Fn() -> Echo| {
            if differs {
                echo.push((name, value()));
            }
        };
        put(self.window_s != default.window_s, "window", &|| {
            Echo::Text(format!("{}s", self.window_s))
        });
        put(self.at != At::Newest, "at", &|| Echo::Text(self.at_text()));
        put(!self.namespace.is_empty(), "namespace", &|| {
            globs(&self.namespace)
        });
        put(!self.service.is_empty(), "service", &|| {
            globs(&self.service)
        });
        put(!self.exclude.is_empty(), "exclude", &|| {
            globs(&self.exclude)
        });
        if let Some(focus) = &self.focus {
            put(true, "focus", &|| Echo::List(focus.ids.clone()));
            put(true, "up", &|| Echo::Whole(focus.up.into()));
            put(true, "down", &|| Echo::Whole(focus.down.into()));
        }
        put(self.min_calls > 0, "min_calls", &|| {
            Echo::Whole(self.min_calls)
        });
        put(self.min_rate_per_s > 0.0, "min_rate_per_s", &|| {
            Echo::Number(self.min_rate_per_s)
        });
        put(self.top != default.top, "top", &|| {
            Echo::Whole(self.top as u64)
        });
        put(self.problems_only, "health", &|| {
            Echo::Text("problems".to_owned())
        });
        let types = self.type_words();
        put(!types.is_empty(), "type", &|| Echo::List(types.clone()));
        put(self.group_by != GroupBy::Service, "group_by", &|| {
            Echo::Text(self.group_word().to_owned())
        });
        let include = self.include_words();
        put(!include.is_empty(), "include", &|| {
            Echo::List(include.clone())
        });
        put(self.quantiles != default.quantiles, "quantiles", &|| {
            Echo::List(self.quantiles.iter().map(|q| q.fraction()).collect())
        });
        echo
    }

    /// One text per meaning: two queries are equal exactly when these are.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        for (name, value) in self.echo() {
            // Debug of a string escapes quotes, so no value can imitate another parameter.
            write!(out, "{name}={value:?}&").expect("writing to a string cannot fail");
        }
        out
    }

    fn at_text(&self) -> String {
        match self.at {
            At::Newest => "now".to_owned(),
            At::Unix(second) => rfc3339(second),
            At::Ago(seconds) => format!("-{seconds}s"),
        }
    }

    fn group_word(&self) -> &str {
        match &self.group_by {
            GroupBy::Service => "service",
            GroupBy::Namespace => "namespace",
            GroupBy::Dimension(key) => key,
        }
    }

    fn type_words(&self) -> Vec<String> {
        let kinds = self.kinds.iter().map(|k| k.name());
        let connections = self.connections.iter().map(|c| super::connection_name(*c));
        let mut words: Vec<String> = kinds.chain(connections).map(str::to_owned).collect();
        words.sort();
        words.dedup();
        words
    }

    fn include_words(&self) -> Vec<String> {
        let words = [
            (self.histograms, "histograms"),
            (self.exemplars, "exemplars"),
            (self.layout, "layout"),
            (self.idle, "idle"),
        ];
        words
            .iter()
            .filter(|w| w.0)
            .map(|w| w.1.to_owned())
            .collect()
    }
}

fn globs(globs: &[Glob]) -> Echo {
    Echo::List(globs.iter().map(|g| g.as_str().to_owned()).collect())
}
