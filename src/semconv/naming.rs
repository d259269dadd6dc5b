//! Names for the side of a call that nobody reported (pairing R10 and R11). Whether such a node is a real service
//! after all is not asked here: that is decided when reading.

use super::host::{Host, PeerName, is_literal};
use super::{is_db, is_messaging, lasting_name};
use crate::proto::{ConnectionType, NodeType};
use crate::span::{Attrs, SpanKind};

/// What may name a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NamingConfig {
    /// IP literals may, where nothing better is known.
    pub ip_nodes: bool,
    /// An outbound call without any name goes to a node `unknown`.
    pub unknown_peer_node: bool,
    /// What names a database.
    pub db_node_name: DbNodeName,
    /// Services have their namespace from another attribute than `service.namespace`, so `service.peer.namespace` names none.
    pub other_namespaces: bool,
}

/// What names a database, after its logical name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DbNodeName {
    /// Its host: equal database names on different hosts stay apart.
    #[default]
    Host,
    /// Its namespace: one database behind many hosts stays one.
    Namespace,
}

/// A virtual node and the edge that leads there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualName<'a> {
    /// `Database`, `Messaging`, `External`, or `User`.
    pub node_type: NodeType,
    /// Of the edge.
    pub connection: ConnectionType,
    /// Plain, not escaped; at most 262 bytes.
    pub name: PeerName<'a>,
    /// `service.peer.namespace` of an external node that a logical peer named: where the service of that name is.
    pub namespace: Option<&'a str>,
    /// A logical peer gave the name, so it is meant to be a service's.
    pub logical: bool,
}

/// Ports at which a system listens unless told otherwise, by every spelling of its name in old and new conventions.
const DEFAULT_PORTS: [(&str, u16); 34] = [
    ("activemq", 61_616),
    ("artemis", 61_616),
    ("aws.redshift", 5439),
    ("cassandra", 9042),
    ("clickhouse", 9000),
    ("cockroachdb", 26_257),
    ("couchbase", 11_210),
    ("couchdb", 5984),
    ("db2", 50_000),
    ("elasticsearch", 9200),
    ("firebird", 3050),
    ("firebirdsql", 3050),
    ("hive", 10_000),
    ("ibm.db2", 50_000),
    ("influxdb", 8086),
    ("kafka", 9092),
    ("mariadb", 3306),
    ("memcached", 11_211),
    ("microsoft.sql_server", 1433),
    ("mongodb", 27_017),
    ("mqtt", 1883),
    ("mssql", 1433),
    ("mysql", 3306),
    ("nats", 4222),
    ("neo4j", 7687),
    ("opensearch", 9200),
    ("oracle", 1521),
    ("oracle.db", 1521),
    ("postgresql", 5432),
    ("pulsar", 6650),
    ("rabbitmq", 5672),
    ("redis", 6379),
    ("redshift", 5439),
    ("rocketmq", 9876),
];

/// The node that an outbound span called, if its attributes name one (R11); `None` means the call stays unpaired.
pub fn virtual_server<'a>(
    attrs: &Attrs<'a>,
    kind: SpanKind,
    config: &NamingConfig,
) -> Option<VirtualName<'a>> {
    // A PRODUCER sends a message, even where the broker is also a database (Redis streams).
    let messaging = kind == SpanKind::Producer || (!is_db(attrs) && is_messaging(attrs));
    let (node_type, connection, name) = if messaging {
        (
            NodeType::Messaging,
            ConnectionType::MessagingSystem,
            broker(attrs, *config),
        )
    } else if is_db(attrs) {
        (
            NodeType::Database,
            ConnectionType::Database,
            database(attrs, *config),
        )
    } else {
        (
            NodeType::External,
            ConnectionType::VirtualNode,
            external(attrs, *config),
        )
    };
    logical(attrs, *config)
        .map(|name| (name, true))
        .or_else(|| Some((name?, false)))
        .map(|(name, logical)| VirtualName {
            node_type,
            connection,
            name,
            namespace: namespace(attrs, node_type, logical, *config),
            logical,
        })
}

/// The node that called an inbound span without a caller (R10): a logical peer, for a CONSUMER its topic or broker,
/// else the user. `None` when nobody did: a timer.
pub fn virtual_client<'a>(
    attrs: &Attrs<'a>,
    kind: SpanKind,
    config: &NamingConfig,
) -> Option<VirtualName<'a>> {
    let consumer = kind == SpanKind::Consumer;
    let (node_type, connection) = if consumer {
        (NodeType::Messaging, ConnectionType::MessagingSystem)
    } else {
        (NodeType::External, ConnectionType::VirtualNode)
    };
    let named = || destination(attrs, *config).or(attrs.messaging_system);
    let broker = || named().filter(|_| consumer);
    let logical = logical(attrs, *config);
    let is_logical = logical.is_some();
    let named = logical.or_else(|| broker().map(PeerName::from));
    if named.is_none() && !consumer && attrs.timer_triggered {
        return None;
    }
    let node_type = if named.is_some() {
        node_type
    } else {
        NodeType::User
    };
    Some(VirtualName {
        node_type,
        connection,
        name: named.unwrap_or("user".into()),
        namespace: namespace(attrs, node_type, is_logical, *config),
        logical: is_logical,
    })
}

/// Databases and topics never fold, so they are told apart by their names alone.
fn namespace<'a>(
    attrs: &Attrs<'a>,
    node_type: NodeType,
    logical: bool,
    config: NamingConfig,
) -> Option<&'a str> {
    let meant = logical && node_type == NodeType::External && !config.other_namespaces;
    attrs.logical_peer_namespace.filter(|_| meant)
}

fn logical<'a>(attrs: &Attrs<'a>, config: NamingConfig) -> Option<PeerName<'a>> {
    let usable = |name: &&str| config.ip_nodes || Host::parse(name).is_none_or(|host| !host.is_ip);
    attrs.logical_peer.filter(usable).map(PeerName::from)
}

fn database<'a>(attrs: &Attrs<'a>, config: NamingConfig) -> Option<PeerName<'a>> {
    let host = || {
        let host = named_host(attrs.host?, attrs.port, config)?;
        Some(host.with_port(default_port(attrs.db_system).as_slice()))
    };
    let socket = || {
        let address = Host::parse(attrs.socket_address?).filter(|host| !host.is_ip)?;
        Some(PeerName::from(address.name))
    };
    let by_host = || host().or_else(socket);
    let by_name = || {
        plain(attrs.db_namespace, config)
            .or(plain(attrs.db_name, config))
            .map(PeerName::from)
    };
    let name = match config.db_node_name {
        DbNodeName::Host => by_host().or_else(by_name),
        DbNodeName::Namespace => by_name().or_else(by_host),
    };
    name.or_else(|| attrs.db_system.map(PeerName::from))
}

fn broker<'a>(attrs: &Attrs<'a>, config: NamingConfig) -> Option<PeerName<'a>> {
    let host = || named_host(attrs.host?, None, config).map(|host| host.name);
    destination(attrs, config)
        .or_else(host)
        .or(attrs.messaging_system)
        .map(PeerName::from)
}

/// What names a node for messages: the template, else the destination's name, unless it is generated.
fn destination<'a>(attrs: &Attrs<'a>, config: NamingConfig) -> Option<&'a str> {
    plain(attrs.destination_template, config).or_else(|| plain(lasting_name(attrs), config))
}

fn external<'a>(attrs: &Attrs<'a>, config: NamingConfig) -> Option<PeerName<'a>> {
    let named = || first_host(attrs, |host| !host.is_ip);
    let socket = || Host::parse(attrs.socket_address?);
    let ip = || {
        let ip = super::peer_host(attrs).or_else(socket)?;
        config.ip_nodes.then(|| ip.with_port(&[]))
    };
    let unknown = || config.unknown_peer_node.then_some("unknown".into());
    plain(attrs.faas_invoked, config)
        .map(PeerName::from)
        .or_else(|| Some(named()?.with_port(&[])))
        .or_else(|| plain(attrs.rpc_service, config).map(PeerName::from))
        .or_else(ip)
        .or_else(unknown)
}

/// A name that is used as it is, unless it is an IP literal and those name no node.
fn plain(name: Option<&str>, config: NamingConfig) -> Option<&str> {
    name.filter(|name| config.ip_nodes || !is_literal(name))
}

/// Where an outbound call went, best first: host and port, `http.host`, the URL's host. The first that `take` takes.
pub(super) fn first_host<'a>(
    attrs: &Attrs<'a>,
    take: impl Fn(&Host<'a>) -> bool,
) -> Option<Host<'a>> {
    let host = attrs.host.and_then(Host::parse);
    let at = host.map(|host| host.at(attrs.port)).filter(&take);
    at.or_else(|| attrs.http_host.and_then(Host::parse).filter(&take))
        .or_else(|| attrs.url.and_then(Host::of_url).filter(&take))
}

fn named_host(host: &str, port: Option<u16>, config: NamingConfig) -> Option<Host<'_>> {
    let host = Host::parse(host)?.at(port);
    (config.ip_nodes || !host.is_ip).then_some(host)
}

fn default_port(system: Option<&str>) -> Option<u16> {
    let system = system?;
    let entry = DEFAULT_PORTS.iter().find(|(name, _)| *name == system);
    entry.map(|(_, port)| *port)
}
