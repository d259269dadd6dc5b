//! Who may ask the API: what the configuration's files say of that.

use std::time::Duration;

use tokio::task::JoinSet;

use super::files::{Contents, Files};
use crate::bearer::{self, Gate};
use crate::config::{Api, ConfigError};

/// What the API's listener is guarded with.
#[derive(Debug)]
pub(super) struct Safety {
    tokens: Option<Guarded<Gate>>,
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

// === impl Safety ===

impl Safety {
    /// Reads and checks every file that is named.
    pub(super) fn load(api: &Api) -> Result<Self, ConfigError> {
        Ok(Self {
            tokens: tokens(api)?,
        })
    }

    /// The gate of those who have a token, if that is asked for.
    pub(super) fn gate(&self) -> Option<Gate> {
        Some(self.tokens.as_ref()?.used.clone())
    }

    /// Takes the files up again when they change, until the set is dropped.
    pub(super) fn follow(self, tasks: &mut JoinSet<()>) {
        if let Some(tokens) = self.tokens {
            let gate = tokens.used;
            let take = move |files: &Files, contents: &Contents| {
                gate.replace(&read_tokens(files, contents)?);
                Ok(())
            };
            tasks.spawn(tokens.files.follow(tokens.contents, TOKENS_EVERY, take));
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
