//! A pair for a first try: the certificate is its own authority.

use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
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

/// Since 1970.
fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Makes a pair for these names and addresses; the first is the common name.
pub fn self_signed(names: Vec<String>) -> Result<SelfSigned, TlsError> {
    let make = |why: rcgen::Error| TlsError::Make(why.to_string());
    let first = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names).map_err(make)?;
    params.distinguished_name.push(DnType::CommonName, first);
    // Who keeps it so long has made it his own.
    let year = 1970 + i32::try_from(seconds() / 31_556_952).unwrap_or_default();
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + 10, 1, 1);
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
