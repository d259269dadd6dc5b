//! Stopping as a value: one [`Stop`] in `main`, a [`Shutdown`] wherever something has to end.

use std::sync::Arc;

use tokio::sync::watch;

/// The end that begins a shutdown. Dropping it begins one too, so that nothing can outlive its owner.
#[derive(Debug)]
pub struct Stop {
    sender: watch::Sender<bool>,
}

/// The end that learns of it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown {
    receiver: watch::Receiver<bool>,
    /// Holds the sender of [`Shutdown::never`], so that it does not count as dropped.
    _never: Option<Arc<watch::Sender<bool>>>,
}

// === impl Stop ===

impl Stop {
    /// Both ends, not yet begun.
    pub fn new() -> (Self, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        let shutdown = Shutdown {
            receiver,
            _never: None,
        };
        (Self { sender }, shutdown)
    }

    /// Begins the shutdown; doing so again changes nothing.
    pub fn begin(&self) {
        self.sender.send_replace(true);
    }
}

// === impl Shutdown ===

impl Shutdown {
    /// One that never begins: for tools that end by themselves, and for tests.
    pub fn never() -> Self {
        let (sender, receiver) = watch::channel(false);
        Self {
            receiver,
            _never: Some(Arc::new(sender)),
        }
    }

    /// Whether it has begun.
    pub fn is_begun(&self) -> bool {
        *self.receiver.borrow() || self.receiver.has_changed().is_err()
    }

    /// Completes when it begins, at once if it has.
    pub async fn begun(&mut self) {
        // An error means the owner is gone, which is a shutdown as well.
        let _ = self.receiver.wait_for(|begun| *begun).await;
    }
}
