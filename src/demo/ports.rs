//! Free ports in place of usual ones that are taken.

use std::io::ErrorKind;
use std::net::SocketAddr;

use crate::config::{Origin, Resolved};
use crate::daemon::{Daemon, RunError};

/// A listener that is not where it usually is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) listener: &'static str,
    /// The address that was taken.
    pub(super) from: SocketAddr,
}

/// Binds, each listener on a free port where its usual address is taken. An address that somebody asked for is never
/// replaced: taken, it is the error.
pub(super) async fn bind(resolved: &mut Resolved) -> Result<(Daemon, Vec<Moved>), RunError> {
    let mut moved = Vec::new();
    loop {
        let failed = match Daemon::bind(resolved).await {
            Ok(daemon) => return Ok((daemon, moved)),
            Err(RunError::Bind(failed)) if failed.source.kind() == ErrorKind::AddrInUse => failed,
            Err(other) => return Err(other),
        };
        // Each can move once: port 0 is not taken. So this ends.
        match move_away(resolved, failed.address) {
            Some(listener) => moved.push(Moved {
                listener,
                from: failed.address,
            }),
            None => return Err(failed.into()),
        }
    }
}

/// Gives the listener that wanted `taken` a free port, unless somebody asked for just that address.
fn move_away(resolved: &mut Resolved, taken: SocketAddr) -> Option<&'static str> {
    let Resolved {
        config, settings, ..
    } = resolved;
    let listeners = [
        ("receiver.grpc.listen", "OTLP/gRPC", &mut config.grpc.listen),
        ("receiver.http.listen", "OTLP/HTTP", &mut config.http.listen),
        ("api.listen", "the API", &mut config.api.listen),
    ];
    for (key, name, listen) in listeners {
        let unasked = || {
            let mut settings = settings.iter();
            settings.any(|s| s.path == key && s.origin == Origin::Default)
        };
        if *listen == taken && taken.port() != 0 && unasked() {
            listen.set_port(0);
            return Some(name);
        }
    }
    None
}
