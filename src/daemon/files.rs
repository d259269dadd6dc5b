//! Files whose content runs: read and checked before anything is bound, and taken up again when they change.

use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::bounded;
use crate::config::ConfigError;

/// Files that are of use together only, each by the key that names it.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) named: Vec<(&'static str, PathBuf)>,
    /// Most bytes of each.
    pub(super) max_bytes: u64,
}

/// What they hold, in their order.
pub(super) type Contents = Vec<Vec<u8>>;

// === impl Files ===

impl Files {
    pub(super) fn read(&self) -> Result<Contents, ConfigError> {
        let files = self.named.iter().enumerate();
        files
            .map(|(at, (_, path))| {
                bounded::read(path, self.max_bytes).map_err(|why| self.wrong(at, why.to_string()))
            })
            .collect()
    }

    /// What is wrong with the file at that place.
    pub(super) fn wrong(&self, at: usize, why: String) -> ConfigError {
        let (key, path) = self.named[at].clone();
        ConfigError::BadFile { key, path, why }
    }

    /// Looks at the files every so often, and hands what they hold to `take` when it is another thing than `contents`.
    /// What cannot be read or taken changes nothing, and is said once.
    pub(super) async fn follow(
        self,
        contents: Contents,
        every: Duration,
        take: impl Fn(&Self, &Contents) -> Result<(), ConfigError> + Send,
    ) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The content, not the time of the last change: a mounted Secret is a link to a link that is moved.
        let mut known = Ok(digest(&contents));
        drop(contents);
        loop {
            ticks.tick().await;
            let files = self.clone();
            let Ok(read) = spawn_blocking(move || files.read()).await else {
                continue;
            };
            let found = match &read {
                Ok(contents) => Ok(digest(contents)),
                Err(error) => Err(error.to_string()),
            };
            if found == known {
                continue;
            }
            known = found;
            match read.and_then(|contents| take(&self, &contents)) {
                Ok(()) => info!(key = self.named[0].0, "took up a file that changed"),
                Err(error) => {
                    warn!(%error, "a file that changed is of no use; what it held before still counts");
                }
            }
        }
    }
}

fn digest(contents: &Contents) -> [u8; 32] {
    let mut sha = Sha256::new();
    for content in contents {
        sha.update((content.len() as u64).to_be_bytes());
        sha.update(content);
    }
    sha.finalize().into()
}
