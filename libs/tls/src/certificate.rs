//! What stands in a certificate.

use ring::digest::{self, digest};
use rustls::pki_types::CertificateDer;
use x509_certificate::{CapturedX509Certificate, SignatureAlgorithm, X509Certificate};

/// What people want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Common name of its subject.
    pub common_name: Option<String>,
    /// Its subject, with all that is said of it.
    pub subject: String,
    /// Who has signed it.
    pub issuer: String,
    /// SHA-256 of it, in hexadecimal digits.
    pub fingerprint: String,
    /// The last second of its validity, since 1970.
    pub not_after: i64,
}

impl Facts {
    /// Those of this one; `None` where it can't be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let read = X509Certificate::from_der(certificate.as_ref()).ok()?;
        Some(Self {
            common_name: read.subject_common_name(),
            subject: read.subject_name().user_friendly_str().unwrap_or_default(),
            issuer: read.issuer_name().user_friendly_str().unwrap_or_default(),
            fingerprint: hex::encode(digest(&digest::SHA256, certificate.as_ref())),
            not_after: read.validity_not_after().timestamp(),
        })
    }
}

/// The channel binding `tls-server-end-point` (RFC 5929): a hash of the server's certificate by the hash that it is signed
/// with, but never a weaker one than SHA-256. `None` for a signature that has none.
pub fn end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let read = CapturedX509Certificate::from_der(certificate.as_ref()).ok()?;
    let algorithm = match read.signature_algorithm()? {
        SignatureAlgorithm::RsaSha1
        | SignatureAlgorithm::RsaSha256
        | SignatureAlgorithm::EcdsaSha256 => &digest::SHA256,
        SignatureAlgorithm::RsaSha384 | SignatureAlgorithm::EcdsaSha384 => &digest::SHA384,
        SignatureAlgorithm::RsaSha512 => &digest::SHA512,
        SignatureAlgorithm::Ed25519 | SignatureAlgorithm::NoSignature(_) => return None,
    };
    Some(digest(algorithm, certificate.as_ref()).as_ref().to_vec())
}
