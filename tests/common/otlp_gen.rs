//! Requests as SDKs send them, the same ones for the same seed: for benches and tests.
//!
//! Forty services call each other in traces of eight spans (three SERVER, three CLIENT, two INTERNAL: a front end, a
//! service behind it over HTTP, one behind that over gRPC, and its database). Each service exports its own spans in
//! batches of 512 under one resource of 13 attributes; a span has 9. Parents are right across services.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each user of this file needs another part of it"
)]
#![allow(clippy::cast_possible_truncation, reason = "below forty")]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

/// Services in the system.
pub const SERVICES: usize = 40;
/// Spans of one request.
pub const SPANS_PER_REQUEST: usize = 512;

/// `SplitMix64`: small, and good enough to look random.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

/// The running system.
#[derive(Debug)]
pub struct Generator {
    random: Random,
    queues: Vec<Vec<Span>>,
    now_ns: u64,
}

/// Encoded requests, in the order they would arrive.
pub fn encoded(seed: u64, requests: usize) -> Vec<Vec<u8>> {
    let mut generator = Generator::new(seed);
    (0..requests)
        .map(|_| generator.next_request().encode_to_vec())
        .collect()
}

/// Encoded requests with all spans of so many traces.
pub fn whole_traces(seed: u64, traces: usize) -> Vec<Vec<u8>> {
    let mut generator = Generator::new(seed);
    (0..traces).for_each(|_| generator.trace());
    let queues = std::mem::take(&mut generator.queues);
    let requests = queues.into_iter().enumerate().flat_map(|(service, spans)| {
        let requests = spans.chunks(SPANS_PER_REQUEST).map(<[Span]>::to_vec);
        let requests = requests.map(move |spans| request(service, spans).encode_to_vec());
        requests.collect::<Vec<_>>()
    });
    requests.collect()
}

// === impl Random ===

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

// === impl Generator ===

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            queues: vec![Vec::new(); SERVICES],
            now_ns: 1_790_000_000_000_000_000,
        }
    }

    /// Runs traces until a service has a full batch.
    pub fn next_request(&mut self) -> ExportTraceServiceRequest {
        loop {
            let full = |queue: &Vec<Span>| queue.len() >= SPANS_PER_REQUEST;
            if let Some(service) = self.queues.iter().position(full) {
                let spans = self.queues[service].drain(..SPANS_PER_REQUEST).collect();
                return request(service, spans);
            }
            self.trace();
        }
    }

    /// Eight spans; the services below the first follow from it, so that the graph has few edges.
    fn trace(&mut self) {
        let trace = [
            self.random.next().to_be_bytes(),
            self.random.next().to_be_bytes(),
        ]
        .concat();
        let front = self.random.below(SERVICES as u64) as usize;
        let middle = (front * 7 + 3) % SERVICES;
        let back = (middle * 3 + 1 + self.random.below(3) as usize) % SERVICES;
        self.now_ns += 200_000 + self.random.below(100_000);
        let mut ids: [u64; 8] = std::array::from_fn(|_| self.random.next() | 1);
        ids[0] |= 1 << 63;
        let mut span = |service: usize, index: usize, parent: Option<usize>, shape: Shape| {
            let inset_ns = index as u64 * 50_000;
            let failed = self.random.below(100) == 0;
            let span = Span {
                trace_id: trace.clone(),
                span_id: ids[index].to_be_bytes().to_vec(),
                parent_span_id: parent.map_or(Vec::new(), |p| ids[p].to_be_bytes().to_vec()),
                flags: if parent.is_some() { 0x101 } else { 0x1 },
                start_time_unix_nano: self.now_ns + inset_ns,
                end_time_unix_nano: self.now_ns + 3_000_000 - inset_ns
                    + self.random.below(9_000_000),
                status: Some(Status {
                    code: if failed { 2 } else { 0 },
                    message: String::new(),
                }),
                ..shape.span(back)
            };
            self.queues[service].push(span);
        };
        span(front, 0, None, Shape::HttpServer);
        span(front, 1, Some(0), Shape::Internal);
        span(front, 2, Some(1), Shape::HttpClient(middle));
        span(middle, 3, Some(2), Shape::HttpServer);
        span(middle, 4, Some(3), Shape::RpcClient(back));
        span(back, 5, Some(4), Shape::RpcServer);
        span(back, 6, Some(5), Shape::Database);
        span(middle, 7, Some(3), Shape::Internal);
    }
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    HttpServer,
    HttpClient(usize),
    RpcServer,
    RpcClient(usize),
    Database,
    Internal,
}

impl Shape {
    /// Kind, name and nine attributes.
    fn span(self, back: usize) -> Span {
        let (kind, name, attributes) = match self {
            Self::HttpServer => (SpanKind::Server, "GET /api/v1/orders/{id}", http_server()),
            Self::HttpClient(to) => (SpanKind::Client, "GET", http_client(to)),
            Self::RpcServer => (SpanKind::Server, "shop.v1.Orders/Get", rpc(back)),
            Self::RpcClient(to) => (SpanKind::Client, "shop.v1.Orders/Get", rpc(to)),
            Self::Database => (SpanKind::Client, "SELECT orders", database(back)),
            Self::Internal => (SpanKind::Internal, "validate basket", internal()),
        };
        Span {
            kind: kind as i32,
            name: name.to_owned(),
            attributes,
            ..Span::default()
        }
    }
}

/// The name of a service.
pub fn service_name(index: usize) -> String {
    format!("service-{index:02}")
}

pub fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

pub fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

pub fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn http_server() -> Vec<KeyValue> {
    vec![
        text("http.request.method", "GET"),
        text("url.scheme", "http"),
        text("url.path", "/api/v1/orders/81723"),
        text("http.route", "/api/v1/orders/{id}"),
        int("http.response.status_code", 200),
        text("network.protocol.version", "1.1"),
        text("client.address", "10.42.3.17"),
        text("user_agent.original", "okhttp/4.12.0"),
        text("server.address", "shop.example.com"),
    ]
}

fn http_client(to: usize) -> Vec<KeyValue> {
    let host = format!("{}.shop.svc.cluster.local", service_name(to));
    vec![
        text("http.request.method", "GET"),
        text(
            "url.full",
            format!("http://{host}:8080/api/v1/orders/81723?full=true"),
        ),
        text("server.address", host),
        int("server.port", 8080),
        int("http.response.status_code", 200),
        text("network.protocol.version", "1.1"),
        text("network.peer.address", "10.42.7.91"),
        int("thread.id", 41),
        text("thread.name", "worker-41"),
    ]
}

fn rpc(to: usize) -> Vec<KeyValue> {
    vec![
        text("rpc.system", "grpc"),
        text("rpc.service", "shop.v1.Orders"),
        text("rpc.method", "Get"),
        int("rpc.grpc.status_code", 0),
        text(
            "server.address",
            format!("{}.shop.svc.cluster.local", service_name(to)),
        ),
        int("server.port", 50_051),
        text("network.peer.address", "10.42.9.4"),
        int("thread.id", 17),
        text("thread.name", "grpc-default-executor-3"),
    ]
}

fn database(of: usize) -> Vec<KeyValue> {
    vec![
        text("db.system.name", "postgresql"),
        text("db.namespace", "orders"),
        text(
            "db.query.text",
            "SELECT id, total, state FROM orders WHERE id = $1",
        ),
        text("db.operation.name", "SELECT"),
        text("db.collection.name", "orders"),
        text("server.address", format!("db-{of:02}.internal")),
        int("server.port", 5432),
        int("thread.id", 23),
        text("thread.name", "pool-2-thread-5"),
    ]
}

fn internal() -> Vec<KeyValue> {
    vec![
        text("code.function.name", "shop.basket.Validator.validate"),
        int("code.line.number", 214),
        int("basket.items", 7),
        attribute("basket.gift", Value::BoolValue(false)),
        attribute("basket.total", Value::DoubleValue(103.5)),
        text("feature.flag", "new-checkout"),
        text("customer.tier", "gold"),
        int("thread.id", 41),
        text("thread.name", "worker-41"),
    ]
}

fn request(service: usize, spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource(service)),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "io.opentelemetry.netty-4.1".to_owned(),
                    version: "2.20.0".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans,
                schema_url: "https://opentelemetry.io/schemas/1.37.0".to_owned(),
            }],
            schema_url: String::new(),
        }],
    }
}

fn resource(service: usize) -> Resource {
    let name = service_name(service);
    Resource {
        attributes: vec![
            text("service.name", name.clone()),
            text("service.namespace", "shop"),
            text("service.version", "1.8.2"),
            text(
                "service.instance.id",
                format!("{name}-7d9f6c5b8-x{service:02}"),
            ),
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.language", "java"),
            text("telemetry.sdk.version", "1.54.0"),
            text("deployment.environment.name", "production"),
            text("host.name", format!("node-{}", service % 8)),
            text("k8s.pod.name", format!("{name}-7d9f6c5b8-x{service:02}")),
            text("k8s.namespace.name", "shop"),
            text("process.runtime.name", "OpenJDK Runtime Environment"),
            int("process.pid", 1),
        ],
        ..Resource::default()
    }
}
