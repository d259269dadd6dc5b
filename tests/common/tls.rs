//! A TLS client that trusts what it is told to, and the keys of `tests/data/tls`.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring, version};

pub fn path(file: &str) -> String {
    format!("{}/tests/data/tls/{file}", env!("CARGO_MANIFEST_DIR"))
}

pub fn pem(file: &str) -> Vec<u8> {
    fs::read(path(file)).unwrap()
}

/// Trusts one authority, offers these protocols, speaks TLS 1.2 only if `old`.
pub fn client(authority: &str, protocols: &[&str], old: bool) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&pem(authority)).unwrap())
        .unwrap();
    let versions: &[_] = if old {
        &[&version::TLS12]
    } else {
        &[&version::TLS12, &version::TLS13]
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    config
}

pub async fn connect(at: SocketAddr, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(at).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}
