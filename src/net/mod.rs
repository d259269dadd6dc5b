//! Connections: the accept loop, protocol limits, admission by bytes, TLS, graceful stop. Belongs to neither arm.
//!
//! [`serve()`] runs any `tower` service on any [`Accept`]; the ingest ports and the API port differ only in service and
//! [`Limits`]. Nothing here knows about spans, routes or configuration files, and nothing here authenticates.

pub mod admission;
mod bind;
mod catch;
mod connection;
mod counters;
mod handshakes;
mod health;
mod identity;
mod limits;
mod metric;
mod pulse;
mod serve;
mod shutdown;
mod tls;

pub use admission::{Admission, Permit, Refused};
pub use bind::{Accept, BindError, Bound};
pub use catch::{Panicked, caught};
pub use connection::Service;
pub use counters::{NetCounters, NetSnapshot};
pub use health::{Health, HealthServer, Statuses};
pub use identity::{BadPair, Identity, Pair};
pub use limits::{Limits, Slots};
pub use metric::{Kind, Metric};
pub use serve::{Drained, serve};
pub use shutdown::{Shutdown, Stop};
pub use tls::{TlsIo, TlsListener};
