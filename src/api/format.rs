//! Which format answers: the path's suffix, `format=`, else `Accept`. Two that disagree are an error, so that nobody
//! gets another format than the one named last in their mind.

use http::HeaderMap;
use http::header::ACCEPT;

use super::problem::Problem;
use crate::render::Format;
use crate::topology::Params;

/// Takes `format` out of `params` and settles on one of `served`, which are in order of preference.
pub(super) fn choose(
    served: &[Format],
    suffix: Option<Format>,
    params: &mut Params,
    headers: &HeaderMap,
) -> Result<Format, Problem> {
    let asked = params.read("format", |text| {
        let found = served.iter().copied().find(|f| f.name() == text);
        found.ok_or_else(|| format!("must be {}", words(served)))
    });
    let accept = Accept::of(headers);
    if let (Some(asked), Some(suffix)) = (asked, suffix)
        && asked != suffix
    {
        params.reject(
            "format",
            asked.name(),
            &format!("disagrees with the suffix .{}", suffix.name()),
        );
    }
    if let Some(named) = asked.or(suffix) {
        if accept.quality(named) <= 0.0 {
            params.reject("format", named.name(), "disagrees with the Accept header");
        }
        return Ok(named);
    }
    let mut best: Option<(Format, f64)> = None;
    for format in served {
        let quality = accept.quality(*format);
        if quality > best.map_or(0.0, |b| b.1) {
            best = Some((*format, quality));
        }
    }
    best.map(|b| b.0).ok_or_else(|| unacceptable(served))
}

fn unacceptable(served: &[Format]) -> Problem {
    let mut types: Vec<_> = served.iter().map(|f| f.content_type()).collect();
    types.sort_unstable();
    types.dedup();
    Problem::NotAcceptable(types)
}

/// Makes sure that the client takes the one media type that a route serves, given without parameters.
pub(super) fn welcome(headers: &HeaderMap, served: &'static str) -> Result<(), Problem> {
    if Accept::of(headers).quality_of(served) > 0.0 {
        return Ok(());
    }
    Err(Problem::NotAcceptable(vec![served]))
}

/// `json, dot or csv`.
pub(super) fn words(formats: &[Format]) -> String {
    let names: Vec<_> = formats.iter().map(|f| f.name()).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// The ranges of an `Accept` header: type, subtype, quality. None at all accepts everything.
pub(super) struct Accept(Vec<(String, String, f64)>);

// === impl Accept ===

impl Accept {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|v| v.to_str().ok());
        Self(
            values
                .flat_map(|v| v.split(','))
                .filter_map(range)
                .collect(),
        )
    }

    /// The quality of the ranges that name this very media type; 0 when none does.
    pub(super) fn named(&self, media: &str) -> f64 {
        let named = self
            .0
            .iter()
            .filter(|(main, sub, _)| media.split_once('/') == Some((main.as_str(), sub.as_str())));
        named.fold(0.0, |best, (_, _, quality)| best.max(*quality))
    }

    fn quality(&self, format: Format) -> f64 {
        self.quality_of(format.media_type())
    }

    /// The quality of the most specific range that covers the media type; 0 when none does.
    pub(super) fn quality_of(&self, media: &str) -> f64 {
        if self.0.is_empty() {
            return 1.0;
        }
        let Some((main, sub)) = media.split_once('/') else {
            return 0.0;
        };
        let covering = self.0.iter().filter_map(|(m, s, quality)| {
            let specific = match (m.as_str(), s.as_str()) {
                ("*", "*") => 0,
                (m, "*") if m == main => 1,
                (m, s) if m == main && s == sub => 2,
                _ => return None,
            };
            Some((specific, *quality))
        });
        covering
            .max_by_key(|(specific, _)| *specific)
            .map_or(0.0, |(_, quality)| quality)
    }
}

/// One range; a malformed one is as good as absent.
fn range(text: &str) -> Option<(String, String, f64)> {
    let mut parts = text.split(';').map(str::trim);
    let (main, sub) = parts.next()?.split_once('/')?;
    let quality = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
    let quality = match quality {
        Some(q) => q.parse().ok().filter(|q| (0.0..=1.0).contains(q))?,
        None => 1.0,
    };
    Some((main.to_ascii_lowercase(), sub.to_ascii_lowercase(), quality))
}
