//! A client of the stream, and what holds it to the graph route.

use axum::body::Body;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use spangraph::api::Api;
use tower::ServiceExt as _;

use super::http::{bytes, get};

/// A client of the stream, written from `api.md`: it reads events and keeps the graph they tell.
pub struct Client {
    body: Body,
    unread: String,
    pub graph: Value,
}

/// What a client read.
#[derive(Debug, PartialEq)]
pub enum Read {
    Snapshot,
    /// Ids of the upserted elements.
    Delta(Vec<String>),
    Problem(Value),
    Heartbeat,
    End,
}

impl Client {
    pub async fn open(app: &Api, path: &str) -> Self {
        let response = app.clone().oneshot(get(path)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        Self::of(response)
    }

    pub fn of(response: Response<Body>) -> Self {
        Self {
            body: response.into_body(),
            unread: String::new(),
            graph: Value::Null,
        }
    }

    /// The next event or comment; `retry` on its own is passed over.
    pub async fn read(&mut self) -> Read {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.unread = rest;
                if let Some(read) = self.take(&block) {
                    return read;
                }
                continue;
            }
            let Some(frame) = self.body.frame().await else {
                assert_eq!(self.unread, "", "an event was cut");
                return Read::End;
            };
            let data = frame.unwrap().into_data().unwrap();
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    fn take(&mut self, block: &str) -> Option<Read> {
        let field = |name: &str| {
            let mut lines = block.lines().filter_map(|line| line.strip_prefix(name));
            let first = lines.next().map(|value| value.trim_start().to_owned());
            assert_eq!(lines.next(), None, "an event of one line each");
            first
        };
        if block == ":" {
            return Some(Read::Heartbeat);
        }
        let event = field("event:")?;
        let data: Value = serde_json::from_str(&field("data:").unwrap()).unwrap();
        Some(match &*event {
            "snapshot" => {
                self.graph = data;
                Read::Snapshot
            }
            "delta" => Read::Delta(self.apply(data)),
            "problem" => Read::Problem(data),
            other => panic!("no such event: {other}"),
        })
    }

    fn apply(&mut self, mut delta: Value) -> Vec<String> {
        assert_eq!(delta["schema"], "spangraph.delta/1");
        assert_eq!(
            delta["from"], self.graph["window"]["end"],
            "events are missing"
        );
        let mut told = Vec::new();
        for kind in ["nodes", "edges"] {
            let changes = delta[kind].take();
            let list = self.graph[kind].as_array_mut().unwrap();
            for id in changes["remove"].as_array().unwrap() {
                let before = list.len();
                list.retain(|element| element["id"] != *id);
                assert_eq!(list.len(), before - 1, "{id} was not there");
            }
            for element in changes["upsert"].as_array().unwrap() {
                list.retain(|old| old["id"] != element["id"]);
                list.push(element.clone());
                told.push(element["id"].as_str().unwrap().to_owned());
            }
            list.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
        }
        for (name, value) in delta.as_object_mut().unwrap() {
            if !["schema", "from", "nodes", "edges"].contains(&&**name) {
                self.graph[name.clone()] = value.take();
            }
        }
        told
    }

    /// Holds it to what the graph route says now: its head exactly, elements within one per cent.
    pub async fn agrees(&self, app: &Api, path: &str) {
        let truth = topology(app, path).await;
        for (name, value) in truth.as_object().unwrap() {
            let held = &self.graph[name.clone()];
            if ["nodes", "edges"].contains(&&**name) {
                near(held, value, name);
            } else {
                assert_eq!(held, value, "{name}");
            }
        }
    }
}

pub async fn topology(app: &Api, path: &str) -> Value {
    let response = app.clone().oneshot(get(path)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    serde_json::from_slice(&bytes(response).await).unwrap()
}

/// Times are not held to anything: they change with every call.
fn near(held: &Value, truth: &Value, at: &str) {
    match (held, truth) {
        (Value::Number(held), Value::Number(truth)) => {
            let (held, truth) = (held.as_f64().unwrap(), truth.as_f64().unwrap());
            let off = (held - truth).abs();
            assert!(off <= held.abs() * 0.01, "{at}: {held} held, {truth} true");
        }
        (Value::Array(held), Value::Array(truth)) => {
            assert_eq!(held.len(), truth.len(), "{at}");
            let pairs = held.iter().zip(truth).enumerate();
            pairs.for_each(|(i, (held, truth))| near(held, truth, &format!("{at}/{i}")));
        }
        (Value::Object(held), Value::Object(truth)) => {
            let names = |o: &serde_json::Map<String, Value>| o.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(held), names(truth), "{at}");
            for (name, held) in held.iter().filter(|(name, _)| !name.ends_with("_seen")) {
                near(held, &truth[name], &format!("{at}/{name}"));
            }
        }
        _ => assert_eq!(held, truth, "{at}"),
    }
}
