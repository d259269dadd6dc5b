//! What a client of the API shows for itself, and whom it trusts: tokens and authorities from files, read when they are
//! first needed, so that plain `http://` needs neither.

mod trust;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use http::HeaderValue;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::{bearer, bounded};

/// A token to show, and who may answer over TLS. Clones share what was read.
#[derive(Debug, Clone, Default)]
pub struct Access {
    token: Option<HeaderValue>,
    trust: Trust,
    tls: Arc<OnceLock<Arc<ClientConfig>>>,
}

/// Who may answer over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Whom this machine trusts.
    #[default]
    Platform,
    /// Whom an authority of this PEM file vouches for, under the name asked for; or who shows a certificate of the file
    /// itself under that name, as people make them for one server.
    Authorities(PathBuf),
    /// Who shows the first certificate of this PEM file, under whatever name: for asking one's own daemon.
    Exactly(PathBuf),
}

/// A file that is of no use to a client.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// One that was named.
    #[error("cannot use {}: {why}", .path.display())]
    File {
        /// As given.
        path: PathBuf,
        /// Why, never with what it holds.
        why: String,
    },
    /// A machine without authorities, as images from scratch are.
    #[error("this machine trusts no authority; name one with --ca-file")]
    NobodyTrusted,
    /// Nothing to trust is shown there.
    #[error("--ca-file is of use with https:// only")]
    Plain,
    /// A host that no certificate can name.
    #[error("`{0}` is no name that a certificate can prove")]
    NoName(String),
}

/// Most bytes of a file of authorities: ten times Mozilla's.
const MAX_PEM: u64 = 4 << 20;

// === impl Access ===

impl Access {
    /// Reads the token, if there is a file: of several the first. Files of authorities are read when needed.
    pub fn new(tokens: Option<&Path>, trust: Trust) -> Result<Self, AccessError> {
        let token = tokens.map(first_token).transpose()?;
        Ok(Self {
            token: token.map(|token| token.shown()),
            trust,
            tls: Arc::default(),
        })
    }

    /// The value of `Authorization`.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.token.as_ref()
    }

    /// How to speak TLS with a host, and the name it has to prove.
    pub(crate) fn tls(
        &self,
        host: &str,
    ) -> Result<(Arc<ClientConfig>, ServerName<'static>), AccessError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| AccessError::NoName(host.to_owned()))?;
        if let Some(made) = self.tls.get() {
            return Ok((Arc::clone(made), name));
        }
        let made = Arc::new(trust::config(&self.trust)?);
        Ok((Arc::clone(self.tls.get_or_init(|| made)), name))
    }
}

fn first_token(path: &Path) -> Result<bearer::Token, AccessError> {
    let text = read(path, bearer::MAX_FILE)?;
    let tokens = bearer::parse(&text).map_err(|why| unusable(path, why.to_string()))?;
    let first = tokens.into_iter().next();
    first.ok_or_else(|| unusable(path, bearer::BadTokens::None.to_string()))
}

fn unusable(path: &Path, why: String) -> AccessError {
    let path = path.to_owned();
    AccessError::File { path, why }
}

fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, AccessError> {
    bounded::read(path, max_bytes).map_err(|error| unusable(path, error.to_string()))
}
