//! Trust as rustls wants it.

use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::{AccessError, MAX_PEM, Trust, read, unusable};

/// Takes a certificate that was handed over as such; any other needs an authority. Both need the key that goes with it.
#[derive(Debug)]
struct Verifier {
    known: Vec<CertificateDer<'static>>,
    /// Whether a known one must name the host. Its dates are left to whoever handed it over.
    by_name: bool,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

/// What such trust comes to. HTTP/1.1 is what the clients speak.
pub(super) fn config(trust: &Trust) -> Result<ClientConfig, AccessError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = match trust {
        Trust::Platform => {
            let found = rustls_native_certs::load_native_certs().certs;
            Verifier {
                known: Vec::new(),
                by_name: true,
                authorities: Some(authorities(found, &provider).ok_or(AccessError::NobodyTrusted)?),
                provider,
            }
        }
        Trust::Authorities(path) => {
            let known = certificates(path)?;
            Verifier {
                // Without one that counts as an authority there are still the known ones.
                authorities: authorities(known.clone(), &provider),
                known,
                by_name: true,
                provider,
            }
        }
        Trust::Exactly(path) => {
            let mut known = certificates(path)?;
            known.truncate(1);
            Verifier {
                known,
                by_name: false,
                authorities: None,
                provider,
            }
        }
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider));
    let mut config = builder
        .with_safe_default_protocol_versions()
        .expect("ring speaks both versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, AccessError> {
    let text = read(path, MAX_PEM)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(path, "holds no PEM certificate".to_owned())),
        Err(_) => Err(unusable(path, "holds broken PEM".to_owned())),
    }
}

fn authorities(
    certificates: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    let roots = Arc::new(roots);
    let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
    builder.build().ok()
}

// === impl Verifier ===

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.known.iter().any(|known| known == end_entity) {
            if self.by_name {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        let Some(authorities) = &self.authorities else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
