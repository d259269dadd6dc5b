//! The table of every key: `name: type = default [in least..=greatest] [auto "meaning" |machine| value];`.
//! The comments here are the reference a user reads; they say the unit and what happens at the bound.

use std::net::SocketAddr;
use std::time::Duration;

use super::error::ConfigError;
use super::ignore::IgnoreRules;
use super::layers::Layers;
use super::machine::Machine;
use super::safety::{FilePath, Origins};
use super::table::{Key, Section, config};
use super::value::{AttributeKey, AttributeKeys, ByteSize, Value};
use super::words::{DbNodeName, LogFormat, LogLevel, SharedIds, UserNode};

config! {
    /// OTLP over gRPC.
    "receiver.grpc" grpc: Grpc {
        /// Address and port. Loopback unless you say otherwise; port 0 takes a free one, named in the log.
        /// Other machines reach it only on a public address: see the start-up warning.
        listen: SocketAddr = "127.0.0.1:4317";
    }

    /// OTLP over HTTP, protobuf and JSON, at `/v1/traces`.
    "receiver.http" http: Http {
        /// Address and port, as above.
        listen: SocketAddr = "127.0.0.1:4318";
    }

    /// The read side: API, probes and `/metrics`.
    "api" api: Api {
        /// Address and port, as above.
        listen: SocketAddr = "127.0.0.1:7317";
        /// `Host` names answered on a loopback bind besides `localhost` and loopback addresses. Others get 421:
        /// this keeps a web page from reading the graph through a rebound DNS name.
        hosts: Vec<String> = "[]";
        /// Serve what is under `/compat/jaeger` and `/compat/zipkin` at `/` too (`/api/dependencies`,
        /// `/api/v2/dependencies`, ...), for clients that cannot be told a path.
        compat_root: bool = "false";
        /// Web origins whose pages may read the API from a browser (CORS), each exact, as in
        /// `[https://grafana.example]`; at most 64. With none, no page of another origin can.
        cors_origins: Origins = "[]";
        /// A file of bearer tokens, one a line; blank lines and those that begin with `#` are passed over. With it every
        /// route wants `Authorization: Bearer ...`, over gRPC too, but for `/livez`, `/readyz`, `/healthz` and the page's
        /// own files; others get 401. At most 64 tokens, each 16 to 512 visible ASCII characters. A change counts within
        /// a second or two; a file that has become unusable changes nothing and is logged.
        tokens_file: FilePath = "none";
        /// A file with the certificate chain in PEM, the daemon's own certificate first. With it and `tls_key` this port
        /// speaks TLS 1.2 and 1.3 only, HTTP and gRPC alike. A change counts for new connections within 10 seconds or
        /// so; files that have become unusable change nothing and are logged.
        tls_cert: FilePath = "none";
        /// A file with the certificate's key in PEM (PKCS#8, SEC1 or PKCS#1), without a passphrase.
        tls_key: FilePath = "none";
    }

    /// The graph as Prometheus series, at `/metrics/graph`.
    "metrics" metrics: MetricsGraph {
        /// Most edges with series of their own, some 50 lines each; fewer where an eighth of `limits.graph` does not
        /// hold them at 4KiB each. Beyond, those with fewer calls count in one series, overflow -> overflow
        /// (`spangraph_series_overflow_calls_total`).
        max_edges: u32 = "5000" in "1"..="100000";
    }

    /// What becomes of spans before they are paired.
    "ingest" ingest: Ingest {
        /// Spans that draw nothing, such as health probes: a span that a rule takes is `filtered`, and so is the other
        /// half of its call. A rule says some of `service` (its name, or `namespace/name`), `span_name` (the first 256
        /// bytes) and `kind`, each a glob, and takes the spans that match all it says. A `*` stops at `/` in services
        /// only.
        ignore: IgnoreRules = "[]";
    }

    /// How spans become calls.
    "pairing" pairing: Pairing {
        /// How long a span waits for its other half; fractions of a second round up. Memory: rate x wait x 96 bytes.
        /// A half that comes later counts as `late`.
        wait: Duration = "10s" in "1s"..="1h";
        /// The same for PRODUCER and CONSUMER spans, whose other half may sit in a queue.
        messaging_wait: Duration = "60s" in "1s"..="1h";
        /// How long a span is remembered after its wait, to know duplicates and late halves; what arrives by then sees
        /// it until it is decided. Memory: rate x retain x 32 bytes. When memory is short it shrinks first, then
        /// `wait`; the effective values are in `/api/v1/status` and `/metrics`.
        retain: Duration = "60s" in "1s"..="1h";
        /// Compare trace ids by their low 64 bits: for tracers that cut ids to 64.
        match_low64: bool = "false";
        /// Whether an inbound span may carry its caller's span id, as B3 tracers do. `auto` decides per span;
        /// `always` makes every match by parent id wait; `never` none.
        shared_ids: SharedIds = "auto";
        /// Whether an IP address may name a peer that nothing else names. Off, since addresses of pods come and go:
        /// such a call is `unpaired_client` instead.
        ip_nodes: bool = "false";
        /// Whether an outbound call that names no peer at all goes to the node `unknown`. Off, such a call is
        /// `unpaired_client`.
        unknown_peer_node: bool = "false";
        /// What names a database: its `host`, so that equal names on two hosts stay apart; or its `namespace`, so that
        /// one database behind many hosts is one node. Either way a logical peer name comes first.
        db_node_name: DbNodeName = "host";
        /// Whether a sampled call counts for all it stands for: 1/p, the greater of its halves, at most 1,048,576. p comes
        /// from the tracestate (`ot=th:…`), else from `sampling_attribute`, else it is 1. Edges then show `calls` and
        /// `failed` so weighted, `raw_calls` and `raw_failed` beside them; latencies, `seen`, nodes, and what each side
        /// says of its own (`client_failed`, `server_failed`, `protocols`, `statuses`) stay as counted.
        sampling: bool = "false";
        /// Attribute of the span, else of its resource, that holds the probability with which it was sampled: a number
        /// above 0 and at most 1 (0.1 is one in ten), or the same as text; anything else says nothing. Read with
        /// `sampling` only.
        sampling_attribute: AttributeKey = "none";
        /// Whether addresses become names: an external node whose address lies in front of exactly one service of the
        /// window is that service, where no logical peer named it. Addresses are learned from paired calls (host and
        /// port; never loopback, never more than 16 a service); calls so folded are `inferred`.
        learn_aliases: bool = "false";
        /// Who calls where a trace begins with an inbound span and nobody is named: one node `user` (`shared`), one for
        /// each service (`per_service`), or nobody (`off`): such a span is a `root`.
        user_node: UserNode = "shared";
    }

    /// The graph: what tells its nodes apart, and its bounds.
    "graph" graph: Graph {
        /// Resource attributes that may hold a service's namespace: the first that is a non-empty string is it. With
        /// `[service.namespace, k8s.namespace.name]` services that say nothing are told apart by where they run; with
        /// `[]` no service has one. Unless it is `[service.namespace]`, `service.peer.namespace` says nothing.
        namespace_from: AttributeKeys = "[service.namespace]";
        /// Resource attributes that split a service into a node for each value, as in `[k8s.cluster.name]`; a query may
        /// group by them. At most 4. Each multiplies nodes, up to `max_nodes`.
        dimensions: AttributeKeys = "[]";
        /// Most nodes at once. Beyond, calls of new nodes count on the node `overflow`.
        max_nodes: u32 = "10000" in "1"..="1000000";
        /// Most edges at once. Beyond, calls of new edges count on the edge overflow -> overflow (`overflow_calls`).
        max_edges: u32 = "100000" in "1"..="10000000";
    }

    /// When a node or an edge is called unwell.
    "health" health: Health {
        /// Share of failed calls from which it is `degraded`.
        degraded_failed_ratio: f64 = "0.01" in "0"..="1";
        /// Share of failed calls from which it is `failing`; not below `degraded_failed_ratio`.
        failing_failed_ratio: f64 = "0.05" in "0"..="1";
    }

    /// Memory, one knob: `memory` and four shares of it.
    "limits" limits: Limits {
        /// All four shares together.
        memory: ByteSize = "auto" in "64MiB"..="1TiB"
            auto "80 % of the cgroup's memory.max, else the smaller of 2GiB and half of the RAM" Machine::default_memory;
        /// Waiting and remembered spans. At the bound the oldest are decided early (`evicted`); none is lost uncounted.
        pairing: ByteSize = "auto" in "1MiB"..="1TiB" auto "35 % of limits.memory" |_| memory.percent(35);
        /// Sealed slices. At the bound the oldest go first; `/api/v1/windows` says what is held.
        history: ByteSize = "auto" in "1MiB"..="1TiB" auto "30 % of limits.memory" |_| memory.percent(30);
        /// Request bodies being read or applied. At the bound senders are told to retry. Half of it, at most 64MiB, is
        /// the largest message, as sent and inflated.
        in_flight: ByteSize = "auto" in "1MiB"..="1TiB" auto "20 % of limits.memory" |_| memory.percent(20);
        /// Node and edge registries, live slices, totals of `/metrics/graph`, and cached answers.
        graph: ByteSize = "auto" in "1MiB"..="1TiB" auto "15 % of limits.memory" |_| memory.percent(15);
        /// Most connections at once on all listeners together. One more is closed at once, so that its client can try
        /// elsewhere, and counted.
        max_connections: u32 = "auto" in "1"..="65536"
            auto "one per 64KiB of limits.in_flight, at least 64 and at most 65536" |_| connections(in_flight);
    }

    /// How the daemon stops.
    "shutdown" shutdown: Shutdown {
        /// How long requests in flight may take to finish after SIGTERM or SIGINT. Past it, or at a second signal, the
        /// daemon stops with exit code 1.
        drain: Duration = "10s" in "0s"..="10m";
    }

    /// The daemon's own log, on standard error.
    "log" log: Log {
        /// Least severe level written: `error`, `warn`, `info`, `debug` or `trace`.
        level: LogLevel = "info";
        /// `text` for people, `json` for one object a line.
        format: LogFormat = "text";
    }
}

/// A connection holds up to 64 KiB that no share is charged for: its buffers and one header list.
fn connections(in_flight: ByteSize) -> u32 {
    u32::try_from(in_flight.0 >> 16)
        .unwrap_or(u32::MAX)
        .clamp(64, 65_536)
}
