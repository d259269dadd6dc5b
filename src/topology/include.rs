//! `include`: the parts of an answer that come only when asked for.

use super::params::Params;
use super::query::Query;

enum Include {
    Histograms,
    Exemplars,
    Layout,
    Idle,
}

// === impl Query ===

impl Query {
    /// Takes every word of `include`.
    pub(super) fn take_includes(&mut self, params: &mut Params) {
        for part in params.read_list("include", include) {
            match part {
                Include::Histograms => self.histograms = true,
                Include::Exemplars => self.exemplars = true,
                Include::Layout => self.layout = true,
                Include::Idle => self.idle = true,
            }
        }
    }
}

fn include(text: &str) -> Result<Include, String> {
    match text {
        "histograms" => Ok(Include::Histograms),
        "exemplars" => Ok(Include::Exemplars),
        "layout" => Ok(Include::Layout),
        "idle" => Ok(Include::Idle),
        _ => Err("must be `histograms`, `exemplars`, `layout` or `idle`".to_owned()),
    }
}
