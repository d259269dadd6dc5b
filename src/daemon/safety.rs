//! Who may ask the API, and what it shows for itself: what the configuration's files say of that.

use std::time::Duration;

use tokio::task::JoinSet;

use super::files::{Contents, Files};
use crate::bearer::{self, Gate};
use crate::config::{Api, ConfigError};
use crate::net::{BadPair, Identity, Pair};

/// What the API's listener is guarded with.
#[derive(Debug)]
pub(super) struct Safety {
    tokens: Option<Guarded<Gate>>,
    tls: Option<Guarded<Identity>>,
}

/// Something in use, and the files it came from as they were then.
#[derive(Debug)]
struct Guarded<T> {
    used: T,
    files: Files,
    contents: Contents,
}

/// How old tokens may be that were taken away.
const TOKENS_EVERY: Duration = Duration::from_secs(1);

/// How old a certificate may be that was replaced.
const TLS_EVERY: Duration = Duration::from_secs(10);

/// Most bytes of a chain, and of a key.
const MAX_PEM: u64 = 256 << 10;

// === impl Safety ===

impl Safety {
    /// Reads and checks every file that is named.
    pub(super) fn load(api: &Api) -> Result<Self, ConfigError> {
        Ok(Self {
            tokens: tokens(api)?,
            tls: tls(api)?,
        })
    }

    /// The gate of those who have a token, if that is asked for.
    pub(super) fn gate(&self) -> Option<Gate> {
        Some(self.tokens.as_ref()?.used.clone())
    }

    /// What TLS connections are shown, if they are to be that.
    pub(super) fn identity(&self) -> Option<Identity> {
        Some(self.tls.as_ref()?.used.clone())
    }

    /// Takes the files up again when they change, until the set is dropped.
    pub(super) fn follow(self, tasks: &mut JoinSet<()>) {
        if let Some(Guarded {
            used,
            files,
            contents,
        }) = self.tokens
        {
            let take = move |files: &Files, contents: &Contents| {
                used.replace(&read_tokens(files, contents)?);
                Ok(())
            };
            tasks.spawn(files.follow(contents, TOKENS_EVERY, take));
        }
        if let Some(Guarded {
            used,
            files,
            contents,
        }) = self.tls
        {
            let take = move |files: &Files, contents: &Contents| {
                used.replace(read_pair(files, contents)?);
                Ok(())
            };
            tasks.spawn(files.follow(contents, TLS_EVERY, take));
        }
    }
}

fn tokens(api: &Api) -> Result<Option<Guarded<Gate>>, ConfigError> {
    let Some(path) = &api.tokens_file.0 else {
        return Ok(None);
    };
    let files = Files {
        named: vec![("api.tokens_file", path.clone())],
        max_bytes: bearer::MAX_FILE,
    };
    let contents = files.read()?;
    Ok(Some(Guarded {
        used: Gate::new(&read_tokens(&files, &contents)?),
        files,
        contents,
    }))
}

fn read_tokens(files: &Files, contents: &Contents) -> Result<Vec<bearer::Token>, ConfigError> {
    bearer::parse(&contents[0]).map_err(|why| files.wrong(0, why.to_string()))
}

fn tls(api: &Api) -> Result<Option<Guarded<Identity>>, ConfigError> {
    let (Some(chain), Some(key)) = (&api.tls_cert.0, &api.tls_key.0) else {
        return Ok(None);
    };
    let files = Files {
        named: vec![
            ("api.tls_cert", chain.clone()),
            ("api.tls_key", key.clone()),
        ],
        max_bytes: MAX_PEM,
    };
    let contents = files.read()?;
    Ok(Some(Guarded {
        used: Identity::new(read_pair(&files, &contents)?),
        files,
        contents,
    }))
}

fn read_pair(files: &Files, contents: &Contents) -> Result<Pair, ConfigError> {
    Pair::read(&contents[0], &contents[1]).map_err(|why| {
        let at = match why {
            BadPair::Chain(_) => 0,
            BadPair::Key(_) | BadPair::Unlike => 1,
        };
        files.wrong(at, why.to_string())
    })
}
