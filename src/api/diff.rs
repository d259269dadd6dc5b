//! `/api/v1/diff`: two windows of equal length, resolved and keyed before anything is built.

use http::HeaderMap;

use super::Shared;
use super::caching;
use super::format;
use super::hidden;
use super::memo::{Made, Outcome};
use super::problem::Problem;
use super::snapshot::{Prepared, defect, plain, range, unbuilt};
use super::window;
use crate::history::{Ends, Resolved};
use crate::render::{self, Format, Picture};
use crate::topology::diff::{self, Settings, Windowed};
use crate::topology::times::{self, At, rfc3339};
use crate::topology::{Echo, Params, Query};

/// A checked request for a diff.
#[derive(Debug, Clone)]
pub(super) struct AskedDiff {
    format: Format,
    picture: Picture,
    /// Filters, and the length of both windows.
    query: Query,
    /// End of the first; the start of the second when nothing is said.
    base: Option<At>,
    /// End of the second.
    head: At,
    settings: Settings,
}

/// One of the two windows.
struct Found {
    /// Its end as asked; where nothing definite was asked, as resolved.
    end_unix_s: u64,
    resolved: Resolved,
}

// === impl AskedDiff ===

impl AskedDiff {
    /// Checks a URL query and the formats it asks for.
    pub(super) fn read(
        suffix: Option<Format>,
        raw: &str,
        headers: &HeaderMap,
        dimensions: &[String],
    ) -> Result<Self, Problem> {
        let mut params = Params::decode(raw);
        let format = format::choose(&render::diff::formats(), suffix, &mut params, headers);
        for (name, reason) in [
            ("at", "a diff has two ends, `base` and `head`"),
            ("label", "a diff shows what changed"),
        ] {
            for value in params.all(name) {
                params.reject(name, &value, reason);
            }
        }
        let base = params.read("base", times::at);
        let head = params.read("head", times::at).unwrap_or_default();
        // Before the query, whose `include` has other words.
        let settings = Settings::take(&mut params);
        let query = Query::take_with(&mut params, dimensions);
        let picture = match format {
            Ok(format) if !render::diff::is_drawn(format) => {
                plain(&mut params, &render::diff::drawn())
            }
            _ => Picture::take(&mut params),
        };
        params.finish().map_err(Problem::InvalidParameters)?;
        Ok(Self {
            format: format?,
            picture,
            query,
            base,
            head,
            settings,
        })
    }

    /// Resolves both windows; nothing is merged or built.
    pub(super) fn prepare(self, shared: &Shared) -> Result<Prepared, Problem> {
        let source = &shared.state.source;
        let now_s = (shared.state.now)().second();
        let newest = source.newest_unix_s();
        let head = window::end(self.head, "head", now_s, newest)?;
        let base = self.base.map(|at| window::end(at, "base", now_s, newest));
        let base = base.transpose()?.and_then(|end| end.or(newest));
        let resolved = source.resolve_pair(self.query.window_s, Ends { base, head });
        let [in_base, in_head] =
            resolved.map_err(|error| window::refuse(&error, self.query.window_s))?;
        let (base, head) = (Found::of(base, in_base), Found::of(head, in_head));
        if base.end_unix_s > head.end_unix_s {
            let [base, head] = [base, head].map(|found| rfc3339(found.end_unix_s));
            let reason = format!("ends before `base`, which ends at {base}");
            return Err(Problem::parameter("head", &head, &reason));
        }
        let key = self.key(&shared.state.epoch, &base, &head);
        let age = |at, found: &Found| {
            window::max_age_s(at, now_s, newest, found.resolved.steady_until_unix_s)
        };
        let base_at = self.base.unwrap_or(self.head);
        Ok(Prepared {
            etag: caching::etag(&key),
            max_age_s: age(self.head, &head).min(age(base_at, &base)),
            format: self.format,
            key,
            build: Box::new(move |shared| self.build(shared, &base, &head)),
        })
    }

    fn key(&self, epoch: &str, base: &Found, head: &Found) -> String {
        format!(
            "{epoch} diff {} {} {} {} {} {} {} {}",
            base.end_unix_s,
            range(&base.resolved),
            head.end_unix_s,
            range(&head.resolved),
            self.format.name(),
            self.picture.canonical(),
            self.settings.canonical(),
            self.query.canonical(),
        )
    }

    fn build(&self, shared: &Shared, base: &Found, head: &Found) -> Outcome {
        let windowed = |found: &Found| {
            Ok(Windowed {
                merged: shared.merge(&found.resolved)?,
                frame: shared.frame(&found.resolved, &self.query),
            })
        };
        let built = diff::build(windowed(base)?, windowed(head)?, self.settings);
        let mut diff = built.map_err(|error| unbuilt(&error))?;
        // With its ends as instants: asked again, the question is about the same windows.
        let ends = [("base", base), ("head", head)];
        let ends = ends.map(|(name, found)| (name, Echo::Text(rfc3339(found.end_unix_s))));
        diff.query.splice(0..0, ends);
        let body = render::diff::write(self.format, &diff, &self.picture);
        let written = body.map_err(|error| defect(&error))?;
        Ok(Made {
            bytes: written.body.into(),
            field: hidden::of_diff(&diff, written.undrawn),
        })
    }
}

// === impl Found ===

impl Found {
    fn of(asked: Option<u64>, resolved: Resolved) -> Self {
        Self {
            end_unix_s: asked.unwrap_or(resolved.end_unix_s),
            resolved,
        }
    }
}
