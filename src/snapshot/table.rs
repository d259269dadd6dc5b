//! A snapshot as lines of cells, each at a fixed column: the busiest edges first. Where the lines go and how a style
//! looks is the screen's.

use super::columns::{COLUMNS, Column, DISPENSABLE, absent};
use super::model::{Edge, Graph};
use super::text::{Fitted, fit, width};

/// How a cell is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Dim,
    Bold,
    Good,
    Warning,
    Bad,
}

/// Text at a column, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) column: usize,
    pub(super) text: Fitted,
    pub(super) style: Style,
}

/// Cells from left to right, none over another.
pub(super) type Line = Vec<Cell>;

/// What there is to show.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Whom it is of.
    pub(super) title: String,
    /// The newest answer.
    pub(super) graph: Option<Graph>,
    /// Why there is none newer.
    pub(super) trouble: Option<String>,
}

/// How much may be shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Columns.
    pub(super) width: usize,
    /// Lines.
    pub(super) height: usize,
}

/// Columns between two columns.
const GAP: usize = 2;
/// Between client and server.
const ARROW: &str = "→";
/// A name is not shortened below this while there is another column to do without.
const LEAST_NAME: usize = 10;
/// No name is shown longer.
const MOST_NAME: usize = 64;
/// Everything that fits, the header first.
pub(super) fn lines(view: &View, room: Room) -> Vec<Line> {
    let mut lines = vec![header(view, room.width)];
    if let Some(trouble) = &view.trouble {
        lines.push(sentence(&[(Style::Bad, trouble.clone())], room.width));
    }
    let Some(graph) = &view.graph else {
        return lines;
    };
    lines.push(Line::new());
    if graph.edges.is_empty() {
        let nothing = "no calls in this window".to_owned();
        lines.push(sentence(&[(Style::Dim, nothing)], room.width));
        return lines;
    }
    let left = room.height.saturating_sub(lines.len() + 1);
    let (all, hidden) = (graph.edges.len(), graph.hidden.edges);
    let fits = all + usize::from(hidden > 0) <= left;
    let shown = if fits { left } else { left.saturating_sub(1) };
    let edges = busiest(&graph.edges, shown);
    lines.extend(table(&edges, room.width));
    let more = (all - edges.len()) as u64;
    let more = (more > 0).then(|| format!("and {} more edges", grouped(more)));
    let hidden = (hidden > 0).then(|| format!("{} hidden by the query", grouped(hidden)));
    let rest: Vec<_> = more.into_iter().chain(hidden).collect();
    if !rest.is_empty() {
        lines.push(sentence(&[(Style::Dim, rest.join(", "))], room.width));
    }
    lines
}

fn header(view: &View, room: usize) -> Line {
    let Some(graph) = &view.graph else {
        return sentence(&[(Style::Bold, view.title.clone())], room);
    };
    let window = &graph.window;
    let time = window.end.split('T').nth(1).unwrap_or(&window.end);
    let spans = graph.spans_per_s().map_or_else(absent, rate_of_spans);
    let law = if graph.law.holds() {
        (Style::Good, "law ok".to_owned())
    } else {
        (Style::Bad, "law BROKEN".to_owned())
    };
    let counted = |count: u64, one: &str| {
        let s = if count == 1 { "" } else { "s" };
        (Style::Plain, format!("{} {one}{s}", grouped(count)))
    };
    let told = [
        (Style::Bold, format!("{} s to {time}", window.effective_s)),
        (Style::Plain, format!("{spans} spans/s")),
        counted(graph.services() as u64, "service"),
        counted(graph.edges.len() as u64, "edge"),
        law,
        (Style::Dim, view.title.clone()),
    ];
    sentence(&told, room)
}

/// Texts side by side, the last that fits cut.
fn sentence(parts: &[(Style, String)], room: usize) -> Line {
    let mut line = Line::new();
    let mut column = 0;
    for (style, text) in parts {
        let text = fit(text, room.saturating_sub(column));
        let width = text.width;
        line.push(Cell {
            column,
            text,
            style: *style,
        });
        column += width + GAP;
    }
    line
}

/// At most `most` edges, by rate; among equals by their ends, so that lines do not swap places for nothing.
fn busiest(edges: &[Edge], most: usize) -> Vec<&Edge> {
    let mut sorted: Vec<&Edge> = edges.iter().collect();
    let rate = |edge: &Edge| edge.rate_per_s.unwrap_or(0.0);
    sorted.sort_by(|a, b| {
        let by_rate = rate(b).total_cmp(&rate(a));
        by_rate.then_with(|| (&a.client, &a.server).cmp(&(&b.client, &b.server)))
    });
    sorted.truncate(most);
    sorted
}

/// The titles and a line for each edge.
fn table(edges: &[&Edge], room: usize) -> Vec<Line> {
    let names = |name: fn(&Edge) -> &str| {
        let widths = edges.iter().map(|edge| width(name(edge)));
        widths.max().unwrap_or(0).min(MOST_NAME)
    };
    let wanted = [
        names(|edge| &edge.client).max("CLIENT".len()),
        names(|edge| &edge.server).max("SERVER".len()),
    ];
    let mut columns: Vec<(&Column, usize)> = COLUMNS
        .iter()
        .map(|column| {
            let widths = edges.iter().map(|edge| width(&(column.text)(edge)));
            (column, widths.max().unwrap_or(0).max(column.title.len()))
        })
        .collect();
    let left = |columns: &[(&Column, usize)]| {
        let taken: usize = columns.iter().map(|(_, width)| width + GAP).sum();
        room.saturating_sub(taken + width(ARROW) + 2)
    };
    for title in DISPENSABLE {
        let cramped = left(&columns) < wanted[0].min(LEAST_NAME) + wanted[1].min(LEAST_NAME);
        columns.retain(|(column, _)| !cramped || column.title != title);
    }
    let names = share(left(&columns), wanted);
    let titles = row(
        ("CLIENT", "SERVER"),
        names,
        columns
            .iter()
            .map(|(column, width)| (*column, *width, column.title.to_owned(), Style::Dim)),
    );
    let lines = edges.iter().map(|edge| {
        let cells = columns
            .iter()
            .map(|(column, width)| (*column, *width, (column.text)(edge), (column.style)(edge)));
        row((&edge.client, &edge.server), names, cells)
    });
    std::iter::once(titles).chain(lines).collect()
}

/// Two names in `room` columns: the shorter one whole, as long as it takes no more than half.
fn share(room: usize, [client, server]: [usize; 2]) -> [usize; 2] {
    if client + server <= room {
        return [client, server];
    }
    let half = room / 2;
    if client <= half {
        [client, room - client]
    } else if server <= half {
        [room - server, server]
    } else {
        [half, room - half]
    }
}

fn row<'a>(
    (client, server): (&str, &str),
    names: [usize; 2],
    cells: impl Iterator<Item = (&'a Column, usize, String, Style)>,
) -> Line {
    let is_title = client == "CLIENT" && server == "SERVER";
    let style = if is_title { Style::Dim } else { Style::Plain };
    let mut line = Line::new();
    let mut put = |column: usize, text: Fitted, style: Style| {
        line.push(Cell {
            column,
            text,
            style,
        });
    };
    put(0, fit(client, names[0]), style);
    let mut column = names[0] + 1;
    put(column, fit(ARROW, 1), Style::Dim);
    column += 2;
    put(column, fit(server, names[1]), style);
    column += names[1] + GAP;
    for (kind, width, text, style) in cells {
        let text = fit(&text, width);
        let indent = if kind.right { width - text.width } else { 0 };
        put(column + indent, text, style);
        column += width + GAP;
    }
    line
}

/// Two digits below ten, else whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and no rate is negative"
)]
fn rate_of_spans(per_s: f64) -> String {
    if per_s > 0.0 && per_s < 10.0 {
        return format!("{per_s:.1}");
    }
    grouped(per_s.round() as u64)
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
