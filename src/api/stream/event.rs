//! Server-sent events as bytes. Data is JSON, which has no line break of its own: a name with one in it cannot begin
//! an event.

use bytes::Bytes;

/// How long a client waits before it comes back, milliseconds.
const RETRY_MS: u32 = 3_000;

/// Says nothing, but keeps proxies from giving the connection up.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// Ends an event.
pub(super) const END: Bytes = Bytes::from_static(b"\n\n");

/// What a stream begins with.
pub(super) fn greeting() -> Bytes {
    format!("retry: {RETRY_MS}\n\n").into()
}

/// Begins an event whose data follows; [`END`] comes after.
pub(super) fn begin(name: &str, id: &str) -> Bytes {
    format!("event: {name}\nid: {id}\ndata: ").into()
}

/// An event.
pub(super) fn whole(name: &str, id: &str, data: &[u8]) -> Bytes {
    [&*begin(name, id), data, &*END].concat().into()
}
