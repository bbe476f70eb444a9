//! TLS of the service port.

use std::path::PathBuf;

use crate::keys::Section::Server as S;
use crate::keys::{CERT_USERS, CLIENT_CERTS, TLS_MODES, TLS_VERSIONS};
use crate::reader::Reader;
use crate::value;

/// The keys of TLS in `[Server]`, where `TlsCert` is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, and those between it and an authority; PEM.
    pub certificate: PathBuf,
    /// Its private key; PEM.
    pub key: PathBuf,
    /// Authorities of clients' certificates; none = no client is asked for one.
    pub client_ca: Option<PathBuf>,
    /// Whether a client must show a certificate.
    pub client_cert: ClientCert,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// What a client's certificate says of its user.
    pub cert_user: CertUser,
}

/// Whether a client must show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCert {
    /// It may (`TlsClientCert` = optional).
    #[default]
    Optional,
    /// Without one it is refused (`TlsClientCert` = required).
    Required,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsVersion {
    /// 1.2
    #[default]
    V12,
    /// 1.3
    V13,
}

/// What a client's certificate says of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertUser {
    /// Nothing: it is asked for its password all the same (`CertUser` = none).
    #[default]
    Nothing,
    /// The common name is the user's, and stands for the password (`CertUser` = CN).
    CommonName,
}

/// One of libpq's words for how much TLS is wanted.
pub(crate) fn mode(text: &str) -> Result<&'static str, String> {
    let index = value::word(text, TLS_MODES)?;
    Ok(TLS_MODES.get(index).copied().unwrap_or_default())
}

/// Reads the keys; none where `TlsCert` is not set.
pub(crate) fn read(reader: &mut Reader) -> Option<Tls> {
    let (certificate, key) = (reader.path(S, "TlsCert"), reader.path(S, "TlsKey"));
    let client_ca = reader.path(S, "TlsClientCa");
    let required = reader.get(S, "TlsClientCert", |text| {
        Ok(value::word(text, CLIENT_CERTS)? == 1)
    });
    let newest = reader.get(S, "TlsMinVersion", |text| {
        Ok(value::word(text, TLS_VERSIONS)? == 1)
    });
    let by_name = reader.get(
        S,
        "CertUser",
        |text| Ok(value::word(text, CERT_USERS)? == 1),
    );
    let mut needs = |name: &str, is_set: bool, other: &str, has_other: bool| {
        if is_set && !has_other && !reader.is_faulty(S, other) {
            reader.problem(S, name, format!("{name} needs {other}"));
        }
    };
    needs("TlsCert", certificate.is_some(), "TlsKey", key.is_some());
    needs("TlsKey", key.is_some(), "TlsCert", certificate.is_some());
    needs(
        "TlsClientCa",
        client_ca.is_some(),
        "TlsCert",
        certificate.is_some(),
    );
    needs(
        "TlsClientCert",
        required,
        "TlsClientCa",
        client_ca.is_some(),
    );
    needs("CertUser", by_name, "TlsClientCa", client_ca.is_some());
    Some(Tls {
        certificate: certificate?,
        key: key?,
        client_ca,
        client_cert: if required {
            ClientCert::Required
        } else {
            ClientCert::Optional
        },
        min_version: if newest {
            TlsVersion::V13
        } else {
            TlsVersion::V12
        },
        cert_user: if by_name {
            CertUser::CommonName
        } else {
            CertUser::Nothing
        },
    })
}
