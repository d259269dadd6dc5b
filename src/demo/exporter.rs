//! Two exporters, one for each transport, and the ledger of what the receiver said to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::client::{Client, Verdict};
use super::service::Transport;
use super::spans::Export;
use crate::daemon::Addresses;

/// Spans by what became of them. At the end, all that were sent are in one of the last two.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Handed to an exporter.
    pub(super) sent: AtomicU64,
    /// Acknowledged as counted.
    pub(super) accepted: AtomicU64,
    /// Rejected, refused, given up after `TRIES`, or without an answer at the end.
    pub(super) lost: AtomicU64,
}

/// Both exporters.
#[derive(Debug)]
pub(super) struct Exporters {
    grpc: mpsc::Sender<Export>,
    http: mpsc::Sender<Export>,
    ledger: Arc<Ledger>,
    tasks: [JoinHandle<()>; 2],
}

/// Exports that wait for a connection. At the bound the shop waits, and its rate falls.
const QUEUE: usize = 256;

/// How often one export is tried, and the pause between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// How long the last exports may take at the end.
const FLUSH: Duration = Duration::from_secs(3);

// === impl Exporters ===

impl Exporters {
    pub(super) fn start(to: Addresses) -> Self {
        let ledger = Arc::new(Ledger::default());
        let start = |address, speaks| {
            let (sender, exports) = mpsc::channel(QUEUE);
            let client = Client::new(address, speaks);
            let task = tokio::spawn(export_all(client, exports, Arc::clone(&ledger)));
            (sender, task)
        };
        let (grpc, grpc_task) = start(to.grpc, Transport::Grpc);
        let (http, http_task) = start(to.http, Transport::Http);
        Self {
            grpc,
            http,
            ledger,
            tasks: [grpc_task, http_task],
        }
    }

    pub(super) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    /// Hands an export on; waits while its queue is full. Cancelled, it has sent nothing and counted nothing.
    pub(super) async fn send(&self, export: Export) {
        let to = match export.transport {
            Transport::Grpc => &self.grpc,
            Transport::Http => &self.http,
        };
        let room = to.reserve().await;
        count(&self.ledger.sent, export.spans);
        match room {
            Ok(room) => room.send(export),
            Err(_) => count(&self.ledger.lost, export.spans),
        }
    }

    /// Sends what is queued; what takes too long is lost.
    pub(super) async fn finish(self) {
        let Self {
            grpc,
            http,
            ledger,
            tasks,
        } = self;
        drop((grpc, http));
        let end = sleep(FLUSH);
        tokio::pin!(end);
        for mut task in tasks {
            tokio::select! {
                _ = &mut task => {}
                () = &mut end => {
                    task.abort();
                    let _ = task.await;
                }
            }
        }
        let [sent, accepted, lost] =
            [&ledger.sent, &ledger.accepted, &ledger.lost].map(|spans| spans.load(Relaxed));
        count(&ledger.lost, sent.saturating_sub(accepted + lost));
    }
}

fn count(counter: &AtomicU64, spans: u64) {
    counter.fetch_add(spans, Relaxed);
}

async fn export_all(mut client: Client, mut exports: mpsc::Receiver<Export>, ledger: Arc<Ledger>) {
    while let Some(export) = exports.recv().await {
        let accepted = export_one(&mut client, &export).await;
        count(&ledger.accepted, accepted);
        count(&ledger.lost, export.spans - accepted);
    }
}

/// Returns how many of its spans were accepted.
async fn export_one(client: &mut Client, export: &Export) -> u64 {
    for _ in 0..TRIES {
        match client.export(export.body.clone()).await {
            Ok(Verdict::Accepted { rejected }) => return export.spans.saturating_sub(rejected),
            Ok(Verdict::Refused) => return 0,
            Ok(Verdict::Later) | Err(_) => sleep(PAUSE).await,
        }
    }
    0
}
