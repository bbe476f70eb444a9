//! Certificates for tests: authorities, what they sign, and what is wrong with it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use crate::error::TlsError;

/// A certificate and its key in files.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, closed to others.
    pub key: PathBuf,
}

/// Who signs.
pub struct Authority {
    /// Its own certificate.
    pub certificate: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// It was over in 2020.
    Expired,
}

impl Pair {
    /// Writes texts as `NAME.crt` and `NAME.key`.
    pub fn write(directory: &Path, name: &str, certificate: &str, key: &str) -> Self {
        Self {
            certificate: write(directory, &format!("{name}.crt"), certificate),
            key: write(directory, &format!("{name}.key"), key),
        }
    }

    /// A self-signed one as `openssl req -x509` makes it: it calls itself an authority.
    pub fn own_authority(directory: &Path, name: &str) -> Result<Self, TlsError> {
        let mut params = params(name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().map_err(make)?;
        let certificate = params.self_signed(&key).map_err(make)?;
        Ok(Self::of(directory, name, &certificate, &key))
    }

    fn of(directory: &Path, name: &str, certificate: &Certificate, key: &KeyPair) -> Self {
        Self::write(directory, name, &certificate.pem(), &key.serialize_pem())
    }
}

impl Authority {
    /// One of that name.
    pub fn new(directory: &Path, name: &str) -> Result<Self, TlsError> {
        let mut params = CertificateParams::new(vec![]).map_err(make)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().map_err(make)?;
        let certificate = params.self_signed(&key).map_err(make)?;
        Ok(Self {
            certificate: write(directory, &format!("{name}.crt"), &certificate.pem()),
            issuer: Issuer::new(params, key),
        })
    }

    /// Signs a certificate for a name or an address, which is its common name, too; in files called `file`.
    pub fn sign(
        &self,
        directory: &Path,
        file: &str,
        name: &str,
        flaw: Flaw,
    ) -> Result<Pair, TlsError> {
        let mut params = params(name)?;
        match flaw {
            Flaw::None => {}
            Flaw::Expired => params.not_after = date_time_ymd(2020, 1, 1),
        }
        let key = KeyPair::generate().map_err(make)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(make)?;
        Ok(Pair::of(directory, file, &certificate, &key))
    }
}

fn params(name: &str) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(make)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn make(why: rcgen::Error) -> TlsError {
    TlsError::Make(why.to_string())
}

#[expect(clippy::disallowed_methods, reason = "nothing of a test is durable")]
fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).expect("a file of a test");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a file of a test");
    path
}
