//! What the table shows, read off its lines the way a terminal draws them: by columns.

use std::fmt::Write as _;

use super::model::Graph;
use super::screen::{painted, plain};
use super::table::{Line, Room, Style, View, lines};

const WIDE: Room = Room {
    width: 120,
    height: 24,
};

fn view(edges: &str) -> View {
    let body = format!(
        r#"{{"schema":"spangraph.topology/1","window":{{"end":"2026-11-23T01:05:00Z","effective_s":60,"covered_s":30.5}},
        "law":{{"decoded":37000,"accepted":36999,"rejected":{{"span_id":1}},"pending_before":1,"pending_after":500,
        "outcomes":{{"paired":36000,"root":500}}}},"hidden":{{"edges":0}},
        "nodes":[{{"type":"service"}},{{"type":"service"}},{{"type":"database"}}],"edges":[{edges}],"new_field":{{}}}}"#
    );
    View {
        title: "http://127.0.0.1:7317".to_owned(),
        graph: Some(Graph::read(body.as_bytes()).unwrap()),
        trouble: None,
    }
}

fn edge(client: &str, server: &str, rate: f64) -> String {
    let names = [client, server].map(|name| serde_json::to_string(name).unwrap());
    format!(
        r#"{{"client":{},"server":{},"connection_type":"","rate_per_s":{rate},"failed_ratio":0.062,"health":"failing",
        "protocols":{{"grpc":3,"http":9}},"latency":{{"client":{{"p50_ms":8.1,"p95_ms":1200.0}},"server":null}}}}"#,
        names[0], names[1]
    )
}

/// Columns that a terminal gives a text: one road is `unicode-width`'s for whole strings, which knows no sums.
fn drawn(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Where `words` begin in a drawn line.
fn column(line: &str, words: &str) -> usize {
    drawn(
        &line[..line
            .find(words)
            .unwrap_or_else(|| panic!("no {words} in {line}"))],
    )
}

fn text(view: &View, room: Room) -> Vec<String> {
    plain(&lines(view, room))
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_header_says_window_rates_counts_and_law() {
    let shown = text(&view(&edge("a", "b", 1.0)), WIDE);
    assert_eq!(
        shown[0],
        "60 s to 01:05:00Z  1,213 spans/s  2 services  1 edge  law ok  http://127.0.0.1:7317"
    );
    let mut broken = view("");
    broken.graph.as_mut().unwrap().law.accepted += 1;
    let shown = lines(&broken, WIDE);
    let law = shown[0]
        .iter()
        .find(|cell| cell.text.text.contains("law"))
        .unwrap();
    assert_eq!(
        (law.text.text.as_str(), law.style),
        ("law BROKEN", Style::Bad)
    );
}

#[test]
fn an_edge_is_one_line_of_everything() {
    let shown = text(&view(&edge("web", "shop/checkout", 42.0)), WIDE);
    assert_eq!(
        shown[2],
        "CLIENT → SERVER         TYPE  RATE  ERRORS     P50    P95  HEALTH"
    );
    assert_eq!(
        shown[3],
        "web    → shop/checkout  http  42/s    6.2%  8.1 ms  1.2 s  ✖ failing"
    );
}

#[test]
fn what_is_absent_is_a_dash_and_never_a_zero() {
    let bare = r#"{"client":"a","server":"b","connection_type":"virtual_node","rate_per_s":null,"failed_ratio":null,
        "health":null,"protocols":{},"latency":{"client":null,"server":{"p50_ms":2.0}}}"#;
    let shown = text(&view(bare), WIDE);
    let cells: Vec<&str> = shown[3].split_whitespace().collect();
    assert_eq!(
        cells,
        ["a", "→", "b", "virtual", "-", "-", "2.0", "ms", "-", "-"]
    );
}

/// Scenario: names that are wide, right-to-left, hostile, or far too long.
/// Guarantees: every column begins where its title does, in every width of terminal, and no line is wider than it.
#[test]
fn columns_stay_aligned_whatever_the_names() {
    let names = [
        "web",
        "支付服务",
        "\x1b[2J\x1b]0;x\x07",
        "a\u{0301}\u{0301}\u{0301}\u{0301}b",
        "\u{202E}gnp",
        "ééé",
    ];
    let long = "x".repeat(300);
    let mut edges = String::new();
    for (name, rate) in names.iter().chain([&long.as_str()]).zip(1..) {
        write!(edges, "{},", edge(name, "תשלומים", f64::from(rate))).unwrap();
    }
    let view = view(edges.trim_end_matches(','));
    for width in [40, 60, 80, 100, 160, 400] {
        let shown = text(&view, Room { width, height: 24 });
        let titles = &shown[2];
        for line in &shown[3..] {
            assert!(drawn(line) <= width, "{width}: {line}");
            assert!(!line.contains(char::is_control), "{line:?}");
            assert_eq!(column(line, "→"), column(titles, "→"), "{width}: {line}");
            assert_eq!(
                column(line, "✖"),
                column(titles, "HEALTH"),
                "{width}: {line}"
            );
            let end_of = |line: &str, words: &str| column(line, words) + drawn(words);
            assert_eq!(
                end_of(line, "6.2%"),
                end_of(titles, "ERRORS"),
                "{width}: {line}"
            );
        }
    }
    let narrow = text(
        &view,
        Room {
            width: 40,
            height: 24,
        },
    );
    assert!(
        !narrow[2].contains("TYPE") && narrow[2].contains("P95"),
        "{}",
        narrow[2]
    );
}

#[test]
fn the_busiest_come_first_and_the_rest_is_counted() {
    let mut edges: Vec<String> = (0..30)
        .map(|n| edge(&format!("c{n:02}"), "s", f64::from(n / 2)))
        .collect();
    edges.reverse();
    let mut view = view(&edges.join(","));
    view.graph.as_mut().unwrap().hidden.edges = 1_000;
    let shown = text(
        &view,
        Room {
            width: 80,
            height: 10,
        },
    );
    assert_eq!(shown.len(), 10, "{shown:#?}");
    let first = |line: &String| line.split(' ').next().unwrap().to_owned();
    let clients: Vec<String> = shown[3..9].iter().map(first).collect();
    assert_eq!(
        clients,
        ["c28", "c29", "c26", "c27", "c24", "c25"],
        "equals by name"
    );
    assert_eq!(shown[9], "and 24 more edges, 1,000 hidden by the query");
    for height in 0..8 {
        let lines = lines(&view, Room { width: 80, height });
        assert!(
            painted(&lines, Room { width: 80, height }, false)
                .matches("\x1b[2K")
                .count()
                <= height
        );
    }
}

#[test]
fn trouble_stands_above_the_last_table() {
    let mut view = view(&edge("a", "b", 1.0));
    view.trouble = Some("not reachable, retrying: refused".to_owned());
    let shown = text(&view, WIDE);
    assert_eq!(shown[1], "not reachable, retrying: refused");
    assert!(shown[4].contains('→'));
    view.graph = None;
    assert_eq!(
        text(&view, WIDE),
        ["http://127.0.0.1:7317", "not reachable, retrying: refused"]
    );
}

#[test]
fn an_empty_window_says_so() {
    assert_eq!(text(&view(""), WIDE)[2], "no calls in this window");
}

/// A terminal as far as the painted sequences need one: a grid that is written at the cursor.
fn play(sequences: &str, room: Room) -> Vec<String> {
    let mut grid = vec![vec![' '; room.width]; room.height];
    let (mut row, mut column) = (0, 0);
    let mut rest = sequences;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\x1b' {
            grid[row][column] = c;
            column += drawn(c.encode_utf8(&mut [0; 4]));
            continue;
        }
        let body = rest.strip_prefix('[').unwrap();
        let end = body.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        let number = |text: &str| text.parse::<usize>().unwrap_or(1);
        match (&body[..end], &body[end..=end]) {
            (at, "H") => (row, column) = (number(at.split(';').next().unwrap()) - 1, 0),
            (at, "G") => column = number(at) - 1,
            (_, "K") => grid[row].fill(' '),
            (_, "J") => grid[row..].iter_mut().for_each(|line| line.fill(' ')),
            (_, "m") => {}
            other => panic!("unknown sequence {other:?}"),
        }
        rest = &body[end + 1..];
    }
    let trimmed = |line: Vec<char>| String::from_iter(line).trim_end().to_owned();
    grid.into_iter().map(trimmed).collect()
}

/// Guarantees: the screen shows what the plain table says, with colour or without, also over an older, longer table.
#[test]
fn the_screen_and_the_plain_table_say_the_same() {
    let room = Room {
        width: 80,
        height: 12,
    };
    let before: Vec<Line> = lines(&view(&vec![edge("old", "older", 9.0); 20].join(",")), room);
    let now = lines(&view(&edge("web", "shop", 2.0)), room);
    for colour in [false, true] {
        let both = painted(&before, room, colour) + &painted(&now, room, colour);
        let mut screen = play(&both, room);
        screen.truncate(4);
        assert_eq!(screen, text(&view(&edge("web", "shop", 2.0)), room));
        assert_eq!(painted(&now, room, colour).contains("\x1b[31m"), colour);
    }
}
