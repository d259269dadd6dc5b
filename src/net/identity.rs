//! Who a TLS listener says it is: a certificate chain and its key, read from PEM, replaced while in use.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, ServerConfig};

/// A chain and its key that go together.
pub struct Pair(Arc<ServerConfig>);

/// The pair that new connections are shown. Clones share it.
#[derive(Clone)]
pub struct Identity(Arc<RwLock<Arc<ServerConfig>>>);

/// Why a chain and a key are of no use. None of it says what they hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPair {
    /// The chain.
    #[error("holds {0}")]
    Chain(String),
    /// The key.
    #[error("holds {0}")]
    Key(String),
    /// Each is fine.
    #[error("is not the key of the certificate")]
    Unlike,
}

// === impl Pair ===

impl Pair {
    /// Reads a chain of PEM certificates, the listener's own first, and its key in PKCS#8, SEC1 or PKCS#1 without a
    /// passphrase. Dates and names are left to whoever connects.
    pub fn read(chain: &[u8], key: &[u8]) -> Result<Self, BadPair> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|why| BadPair::Chain(broken(&why)))?;
        if chain.is_empty() {
            return Err(BadPair::Chain("no PEM certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|why| match why {
            PemError::NoItemsFound => BadPair::Key(
                "no private key in PKCS#8, SEC1 or PKCS#1 PEM without a passphrase".to_owned(),
            ),
            why => BadPair::Key(broken(&why)),
        })?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let mut config = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| unusable(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

fn broken(why: &PemError) -> String {
    match why {
        PemError::MissingSectionEnd { .. } => "a PEM section without its end".to_owned(),
        _ => "broken PEM".to_owned(),
    }
}

fn unusable(error: &Error) -> BadPair {
    match error {
        Error::InconsistentKeys(_) => BadPair::Unlike,
        Error::InvalidCertificate(_) => BadPair::Chain("a certificate that is broken".to_owned()),
        _ => BadPair::Key("a key of a kind that is not spoken here".to_owned()),
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair(…)")
    }
}

// === impl Identity ===

impl Identity {
    /// Shows this pair.
    pub fn new(pair: Pair) -> Self {
        Self(Arc::new(RwLock::new(pair.0)))
    }

    /// Shows another pair from now on; open connections keep theirs.
    pub fn replace(&self, pair: Pair) {
        *self.0.write() = pair.0;
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}
