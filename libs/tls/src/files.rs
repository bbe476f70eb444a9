//! Certificates and keys in PEM files.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::TlsError;

/// Permission bits that a key's file must not have; and those where it belongs to root, who may lend it to a group.
const OTHERS: u32 = 0o077;
const OTHERS_OF_ROOT: u32 = 0o037;

/// All certificates of a file, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|why| content(path, format!("no PEM: {why}")))?;
    if found.is_empty() {
        return Err(content(path, "there is no certificate in it"));
    }
    Ok(found)
}

/// The private key of a file that is closed to others.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let metadata = fs::metadata(path).map_err(|why| cannot_read(path, why))?;
    let mode = metadata.mode() & 0o7777;
    let closed = if metadata.uid() == 0 {
        OTHERS_OF_ROOT
    } else {
        OTHERS
    };
    if mode & closed != 0 {
        let path = path.to_owned();
        return Err(TlsError::Open { path, mode });
    }
    PrivateKeyDer::from_pem_slice(&read(path)?)
        .map_err(|why| content(path, format!("there is no private key in it: {why}")))
}

/// The authorities of a file.
pub(crate) fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store
            .add(certificate)
            .map_err(|why| content(path, format!("a certificate is no authority: {why}")))?;
    }
    Ok(store)
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|why| cannot_read(path, why))
}

fn cannot_read(path: &Path, why: std::io::Error) -> TlsError {
    let path = path.to_owned();
    TlsError::Read { path, why }
}

pub(crate) fn content(path: &Path, why: impl Into<String>) -> TlsError {
    TlsError::Content {
        path: path.to_owned(),
        why: why.into(),
    }
}
