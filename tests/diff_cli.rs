//! `spangraph diff` as its users meet it: on saved snapshots, and what a pipeline sees of it.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;
#[path = "common/running.rs"]
mod running;

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use read_support::{World, build, differ, histogram, lawful, release};
use running::{said, spangraph};
use serde_json::Value;
use spangraph::proto::{NodeType, Slice};
use spangraph::render::{self, Format, Picture, View};

/// A file of this test, by itself.
fn file(content: &[u8]) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("diff_cli-{}-{number}.json", std::process::id());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn snapshot_of(slice: &Slice, query: &str) -> Vec<u8> {
    let topology = build(&lawful(slice.clone()), query).unwrap();
    let body = Format::Json.write(View::Graph, &topology, &Picture::default());
    body.unwrap().body
}

/// Two slices saved with histograms.
fn saved((base, head): (Slice, Slice)) -> [String; 2] {
    [base, head].map(|slice| file(&snapshot_of(&slice, "include=histograms")))
}

fn diff(arguments: &[&str]) -> Output {
    let output = spangraph(&["diff"]).args(arguments).output();
    output.expect("the binary starts")
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The same but for figures, which a snapshot has to nine digits.
fn near(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-7 * a.abs().max(b.abs()).max(1e-3)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| near(v, w)))
        }
        _ => a == b,
    }
}

/// Guarantees: two saved snapshots say what the two windows they were saved from say, to every test and tally.
#[test]
fn saved_snapshots_differ_as_their_windows_do() {
    let (base, head) = release();
    let [a, b] = saved(release());
    let output = diff(&[&a, &b, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let got: Value = serde_json::from_slice(&output.stdout).unwrap();
    let direct = differ(&lawful(base), &lawful(head), "").unwrap();
    let direct = render::diff::write(Format::Json, &direct, &Picture::default())
        .unwrap()
        .body;
    let expected: Value = serde_json::from_slice(&direct).unwrap();
    for part in ["schema", "tests", "summary", "nodes", "edges"] {
        assert!(
            near(&got[part], &expected[part]),
            "{part}: {}\n{}",
            got[part],
            expected[part]
        );
    }
    assert_eq!(got["head"]["law"], expected["head"]["law"]);
    assert_eq!(got["head"]["window"], expected["head"]["window"]);
}

#[test]
fn a_table_tells_what_changed_from_what_to_what() {
    let [a, b] = saved(release());
    let output = diff(&[&a, &b]);
    let table = printed(&output);
    let line = |words: &str| {
        let found = table.lines().find(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("no {words} in\n{table}"))
    };
    assert!(
        line("shop/web → shop/checkout").starts_with("changed  "),
        "{table}"
    );
    assert!(
        line("shop/web → shop/checkout").contains("0.95% → 14% *"),
        "{table}"
    );
    assert!(
        line("shop/web → shop/checkout").contains("p50 12 ms → 33 ms client *"),
        "{table}"
    );
    assert!(
        line("user:user → shop/web").starts_with("removed ?"),
        "{table}"
    );
    assert!(line("edges").contains("2 added, 1 removed, 2 changed, 2 the same"));
    let certain = table.find("shop/web → shop/checkout").unwrap();
    assert!(
        certain < table.find("user:user → shop/web").unwrap(),
        "the certain come first"
    );
    assert_eq!(
        said(&output),
        "spangraph: different: 1 added, 1 client_latency_up, 1 failed_down, 1 failed_up, 2 rate_up\n"
    );
}

/// Guarantees: 0 is nothing that was asked for, 1 is something, 2 is that it could not be told or nothing was asked.
#[test]
fn exit_codes_tell_different_from_failed() {
    let [a, b] = saved(release());
    let code = |arguments: &[&str]| diff(arguments).status.code();
    assert_eq!(code(&[&a, &a]), Some(0));
    assert_eq!(code(&[&a, &b]), Some(1));
    for (kinds, expected) in [
        ("removed", 0),
        ("nothing", 0),
        ("added", 1),
        ("rate", 1),
        ("errors", 1),
        ("latency", 1),
        ("better", 1),
        ("removed,errors", 1),
    ] {
        assert_eq!(
            code(&[&a, &b, "--fail-on", kinds]),
            Some(expected),
            "{kinds}"
        );
    }
    assert_eq!(
        code(&[&b, &a, "--fail-on", "latency"]),
        Some(0),
        "it became faster"
    );
    assert_eq!(
        code(&[
            &a,
            &b,
            "--query",
            "alpha=0.000000000001&min_failed_change=0.5",
            "--fail-on=errors"
        ]),
        Some(0)
    );
    assert_eq!(code(&[&a, "/no/such/file"]), Some(2));
    assert_eq!(code(&["--url", "http://127.0.0.1:1"]), Some(2));
    let usage: [&[&str]; 6] = [
        &[&a],
        &[&a, &b, &a],
        &[&a, &b, "--url", "http://127.0.0.1:1"],
        &[&a, &b, "--base", "-5m"],
        &[&a, &b, "--fail-on", "everything"],
        &[&a, &b, "--query", "alpha=2"],
    ];
    for arguments in usage {
        assert_eq!(code(arguments), Some(2), "{arguments:?}");
    }
}

/// Guarantees: whoever reads enough of the output still learns the verdict; a full disk is no verdict.
#[test]
fn output_that_nobody_takes_is_no_difference() {
    let [a, b] = saved(release());
    let into = |files: [&str; 2], out: Stdio| {
        let mut command = spangraph(&["diff"]);
        command.args(files).args(["--format", "svg"]).stdout(out);
        command.output().unwrap().status.code()
    };
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    assert_eq!(into([&a, &b], closed()), Some(1));
    assert_eq!(into([&a, &a], closed()), Some(0));
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        assert_eq!(into([&a, &b], Stdio::from(full)), Some(2));
    }
}

/// Guarantees: what was not compared is said, and never called the same.
#[test]
fn without_histograms_latency_is_said_not_to_be_compared() {
    let (base, head) = release();
    let [a, b] = [base, head].map(|slice| file(&snapshot_of(&slice, "")));
    let output = diff(&[&a, &b, "--fail-on", "latency"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        printed(&output).contains("latency was not compared"),
        "{}",
        printed(&output)
    );
    let body: Value = serde_json::from_slice(&diff(&[&a, &b, "--format=json"]).stdout).unwrap();
    assert_eq!(body["tests"]["latency_compared"], false);
    let checkout = body["edges"].as_array().unwrap().iter();
    let mut checkout = checkout.filter(|e| e["server"] == "shop/checkout");
    let latency = &checkout.next().unwrap()["latency"]["client"];
    assert!(
        latency["p50_ms"]["ratio"].as_f64().unwrap() > 2.0,
        "the figures are there"
    );
    assert_eq!(
        (&latency["ks"], &latency["p"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn standard_input_is_a_snapshot_too() {
    let [a, b] = saved(release());
    let input = std::fs::File::open(a).unwrap();
    let piped = spangraph(&["diff", "-", &b])
        .stdin(Stdio::from(input))
        .output()
        .unwrap();
    assert_eq!(piped.status.code(), Some(1), "{}", said(&piped));
}

#[test]
fn what_is_no_snapshot_or_another_question_is_refused() {
    let [a, _] = saved(release());
    let other = file(&snapshot_of(
        &release().1,
        "include=histograms&namespace=shop",
    ));
    let output = diff(&[&a, &other]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("different `namespace`"),
        "{}",
        said(&output)
    );
    let broken = String::from_utf8(snapshot_of(&release().0, "include=histograms")).unwrap();
    let cases = [
        ("not json".to_owned(), "no snapshot"),
        ("{}".to_owned(), "its schema is ``"),
        (
            broken.replace("topology/1", "topology/2"),
            "its schema is `spangraph.topology/2`",
        ),
        (
            broken.replacen("\"zero_count\":0", "\"zero_count\":5", 1),
            "its server histogram states 4 samples and holds 9",
        ),
        (
            broken.replacen("\"type\":\"service\"", "\"type\":\"planet\"", 1),
            "`planet` is no type",
        ),
        (
            broken.replacen(
                "\"edges\":[{\"id\":\"",
                "\"edges\":[{\"id\":\"\\u001b[2J",
                1,
            ),
            "is not the id of its edge",
        ),
        (
            broken.replacen("\"covered_s\":300", "\"covered_s\":-1", 1),
            "negative",
        ),
        (broken[..broken.len() / 2].to_owned(), "no snapshot"),
    ];
    for (text, words) in cases {
        let output = diff(&[&a, &file(text.as_bytes())]);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
        assert!(output.stdout.is_empty());
        assert!(!said(&output).trim_end().contains(char::is_control));
    }
}

/// Something wrong, and what is said of it.
type Contradiction = (fn(&mut Value), &'static str);

/// Each makes a snapshot that no daemon would print.
const CONTRADICTIONS: [Contradiction; 17] = [
    (|b| b["edges"][0]["failed"] = 99_999.into(), " calls failed"),
    (|b| b["nodes"][5]["failed"] = 99_999.into(), " calls failed"),
    (|b| twice(&mut b["edges"]), "is there twice"),
    (|b| twice(&mut b["nodes"]), "is there twice"),
    (
        |b| b["nodes"][5]["id"] = "nobody".into(),
        "is not among the nodes",
    ),
    (|b| more(&mut b["edges"][0]["calls"]), "and `seen` sums to"),
    (
        |b| more(&mut b["nodes"][5]["calls"]),
        "and `calls_from` sums to",
    ),
    (
        |b| b["edges"][0]["rate_per_s"] = 77.7.into(),
        "its `rate_per_s` is 77.7",
    ),
    (
        |b| b["edges"][0]["failed_ratio"] = 0.77.into(),
        "its `failed_ratio` is 0.77",
    ),
    (|b| b["window"]["covered_s"] = 0.into(), "0 s are covered"),
    (
        |b| b["window"]["covered_s"] = 900.into(),
        "900 s are covered",
    ),
    (
        |b| b["window"]["end"] = "2026-11-23T00:00:00Z".into(),
        "ends before it starts",
    ),
    (|b| more(&mut b["law"]["accepted"]), "its law does not hold"),
    (
        |b| more(&mut b["law"]["outcomes"]["root"]),
        "its law does not hold",
    ),
    (
        |b| more(&mut b["law"]["calls"]["linked"]),
        "its law does not hold",
    ),
    (|b| more(&mut histogram_of(b)["count"]), "samples and holds"),
    (
        |b| {
            let histogram = histogram_of(b);
            histogram["counts"] = serde_json::json!([99_999]);
            histogram["count"] = 99_999.into();
        },
        "histogram has 99999 samples of ",
    ),
];

fn more(count: &mut Value) {
    *count = (count.as_u64().unwrap() + 1).into();
}

fn twice(list: &mut Value) {
    let first = list[0].clone();
    list.as_array_mut().unwrap().push(first);
}

fn histogram_of(body: &mut Value) -> &mut Value {
    let mut edges = body["edges"].as_array_mut().unwrap().iter_mut();
    let found = edges.find(|edge| edge["histograms"]["client"].is_object());
    &mut found.unwrap()["histograms"]["client"]
}

/// Guarantees: a file that contradicts itself is not compared; what is said names the file, the element and the way out.
#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let [a, _] = saved(release());
    let genuine: Value = serde_json::from_slice(&std::fs::read(&a).unwrap()).unwrap();
    for (change, words) in CONTRADICTIONS {
        let mut body = genuine.clone();
        change(&mut body);
        let path = file(body.to_string().as_bytes());
        for files in [[&path, &a], [&a, &path]] {
            let output = diff(&[files[0], files[1]]);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(2), "{words}: {said}");
            assert!(said.contains(words), "{words}: {said}");
            assert!(
                said.contains(&path) && said.contains("save it anew"),
                "{said}"
            );
            let is_of_all = ["law", "window", "covered"]
                .iter()
                .any(|word| words.contains(word));
            let named = said.contains("node `") || said.contains("edge `");
            assert!(named || is_of_all || words.starts_with("ends"), "{said}");
            assert!(output.stdout.is_empty());
        }
    }
}

/// Guarantees: no question that a daemon answers makes a snapshot that is refused.
#[test]
fn whatever_was_asked_a_genuine_snapshot_is_compared() {
    for query in [
        "",
        "namespace=shop",
        "exclude=shop/web",
        "top=2",
        "min_calls=50",
        "focus=shop/web&up=0&down=1",
        "health=problems",
        "type=database",
        "group_by=namespace",
        "group_by=namespace&top=1",
        "quantiles=0.25,0.999",
    ] {
        let [a, b] = <[Slice; 2]>::from(release())
            .map(|slice| file(&snapshot_of(&slice, &format!("include=histograms&{query}"))));
        let output = diff(&[&a, &b, "--fail-on=nothing"]);
        assert_eq!(output.status.code(), Some(0), "{query}: {}", said(&output));
    }
}

/// Guarantees: windows that are not equally long are compared, by the second, and both people and programs learn of it.
#[test]
fn windows_of_unequal_length_are_named() {
    let [a, b] = saved(release());
    let body = String::from_utf8(std::fs::read(&a).unwrap()).unwrap();
    let longer = body.replacen(
        "\"start\":\"2026-11-23T01:00:00Z\"",
        "\"start\":\"2026-11-23T00:55:00Z\"",
        1,
    );
    let longer = file(longer.as_bytes());
    let words = "the windows are not equally long, base 600 s and head 300 s";
    let output = diff(&[&longer, &b]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains(words) && printed(&output).contains(words),
        "{}",
        said(&output)
    );
    let unequal = |base: &str| -> Value {
        let output = diff(&[base, &b, "--format=json"]);
        let body: Value = serde_json::from_slice(&output.stdout).unwrap();
        body["unequal_s"].clone()
    };
    assert_eq!((unequal(&longer), unequal(&a)), (300.into(), 0.into()));
    assert!(!said(&diff(&[&a, &b])).contains("equally"));
}

/// Guarantees: no name reaches a terminal as anything but text on its line.
#[test]
fn hostile_names_are_inert_in_the_table() {
    let named = |name: &str| {
        let mut w = World::new();
        let (a, b) = (w.service("a"), w.node(name, name, "", NodeType::Service));
        w.plain(a, b, 500).client_latency = histogram(&[5_000_000; 500], 4);
        w.done()
    };
    for name in [
        "\u{1b}[2J",
        "line\nbreak",
        "\u{202e}gnp.exe",
        "nul\0",
        "tab\tx",
    ] {
        let [a, b] = saved((named("plain"), named(name)));
        let output = diff(&[&a, &b]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let table = printed(&output);
        let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!table.contains(hostile), "{table:?}");
        assert_eq!(
            table.lines().filter(|l| l.contains("a → ")).count(),
            2,
            "{table}"
        );
    }
}

/// Scenario: telemetry was off in both windows.
/// Guarantees: a pipeline that asks is not told "the same", since nothing was compared; one that only looks is shown both.
#[test]
fn two_windows_without_a_call_are_no_answer() {
    let nothing = || World::new().done();
    let [a, b] = saved((nothing(), nothing()));
    let output = diff(&[&a, &b]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("neither window has a call to compare"));
    let shown = diff(&[&a, &b, "--fail-on", "nothing"]);
    assert_eq!(shown.status.code(), Some(0), "{}", said(&shown));
}
