//! SIGTERM and SIGINT as messages: the first begins the drain, the second gives it up.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing::info;

/// One message for each signal. Two are kept: a third would mean nothing.
pub(crate) fn stops() -> io::Result<mpsc::Receiver<()>> {
    let (sender, receiver) = mpsc::channel(2);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            let signal = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            info!(signal, "asked to stop");
            if sender.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
