//! A pair for a first try: the certificate is its own authority.

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::pki_types::CertificateDer;

use crate::certificate::Facts;
use crate::error::TlsError;

/// A certificate and its key, as PEM.
pub struct SelfSigned {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// What stands in it.
    pub facts: Facts,
}

/// Makes a pair for these names and addresses; the first is the common name.
pub fn self_signed(names: Vec<String>) -> Result<SelfSigned, TlsError> {
    let make = |why: rcgen::Error| TlsError::Make(why.to_string());
    let first = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names).map_err(make)?;
    params.distinguished_name.push(DnType::CommonName, first);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(make)?;
    let certificate = params.self_signed(&key).map_err(make)?;
    let der: CertificateDer<'static> = certificate.der().clone();
    let facts =
        Facts::of(&der).ok_or_else(|| TlsError::Make("what was made can't be read".to_owned()))?;
    Ok(SelfSigned {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
        facts,
    })
}
