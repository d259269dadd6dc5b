//! Databases, caches and topics.

use super::{Told, number, text};
use crate::demo::script::Query;
use crate::demo::service::Conventions;

/// What a client tells of a question to a store.
pub(in crate::demo) fn query(query: &Query, conventions: Conventions) -> Told {
    let Query {
        store, verb, table, ..
    } = query;
    let object = if table.is_empty() {
        String::new()
    } else {
        format!(" {table}")
    };
    let mut attributes = match conventions {
        Conventions::New => vec![
            text("db.system.name", store.system),
            text("db.namespace", store.database),
            text("db.operation.name", *verb),
            text("db.query.summary", format!("{verb}{object}")),
            text("server.address", store.host),
            number("server.port", store.port),
        ],
        Conventions::Old => vec![
            text("db.system", store.system),
            text("db.name", store.database),
            text("db.operation", *verb),
            text("net.peer.name", store.host),
            number("net.peer.port", store.port),
        ],
    };
    if !table.is_empty() {
        attributes.push(match conventions {
            Conventions::New => text("db.collection.name", *table),
            Conventions::Old => text("db.sql.table", *table),
        });
    }
    Told {
        name: format!("{verb}{object}"),
        attributes,
    }
}

/// What the sender of a message tells.
pub(in crate::demo) fn sent(topic: &str, conventions: Conventions) -> Told {
    message(topic, conventions, ["send", "publish"])
}

/// What a consumer of a message tells.
pub(in crate::demo) fn processed(topic: &str, conventions: Conventions) -> Told {
    message(topic, conventions, ["process", "process"])
}

/// The operation has one word now and had another.
fn message(topic: &str, conventions: Conventions, [new, old]: [&str; 2]) -> Told {
    match conventions {
        Conventions::New => Told {
            name: format!("{new} {topic}"),
            attributes: vec![
                text("messaging.system", "kafka"),
                text("messaging.destination.name", topic),
                text("messaging.operation.type", new),
            ],
        },
        Conventions::Old => Told {
            name: format!("{topic} {old}"),
            attributes: vec![
                text("messaging.system", "kafka"),
                text("messaging.destination", topic),
                text("messaging.destination_kind", "topic"),
                text("messaging.operation", old),
            ],
        },
    }
}
