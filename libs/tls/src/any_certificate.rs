//! Servers' certificates as libpq's modes take them: any, one of an authority's, or one that is itself in the file.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_certificate::X509Certificate;

/// What the certificate has to prove.
#[derive(Debug)]
pub(crate) enum Trust {
    /// Nothing: only that its owner speaks.
    Any,
    /// That it is signed by one of the authorities.
    Authority {
        verifier: Arc<WebPkiServerVerifier>,
        /// Certificates of the file. A server's own may be one of them, whatever it says of what it may be used for: a self-signed
        /// one often calls itself an authority.
        pinned: Vec<CertificateDer<'static>>,
        /// Its name must be that which is connected to.
        checks_name: bool,
    },
}

/// The verifier of a mode.
#[derive(Debug)]
pub(crate) struct ByMode {
    algorithms: WebPkiSupportedAlgorithms,
    trust: Trust,
}

impl ByMode {
    pub(crate) fn new(provider: &CryptoProvider, trust: Trust) -> Self {
        Self {
            algorithms: provider.signature_verification_algorithms,
            trust,
        }
    }
}

impl ServerCertVerifier for ByMode {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Trust::Authority {
            verifier,
            pinned,
            checks_name,
        } = &self.trust
        else {
            return Ok(ServerCertVerified::assertion());
        };
        if pinned.contains(end_entity) {
            check_time(end_entity, now)?;
            if *checks_name {
                check_name(end_entity, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        let verified =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last: all else is right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !checks_name => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn check_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let unreadable = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let read = X509Certificate::from_der(certificate.as_ref()).map_err(|_| unreadable())?;
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if seconds < read.validity_not_before().timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if seconds > read.validity_not_after().timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

fn check_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    rustls::client::verify_server_name(&parsed, name)
}
