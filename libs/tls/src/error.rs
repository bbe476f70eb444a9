//! Why there is no TLS.

use std::io;
use std::path::PathBuf;

use crate::mode::Mode;

/// What is wrong with files or options.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {path}: {why}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        why: io::Error,
    },
    /// A private key that others can read.
    #[error(
        "{path} holds a private key and has permissions {mode:04o}: it must be closed to all but its owner (chmod 600), or root's with 0640"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file is not what it should be.
    #[error("{path}: {why}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The two files don't belong together, or rustls can't use them.
    #[error("the certificate in {certificate} and the key in {key} cannot be used: {why}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        why: String,
    },
    /// Only half of what belongs together is given.
    #[error("{0}")]
    Options(String),
    /// A certificate is worth nothing without an authority, and none is named.
    #[error("{0} needs a file with the certificates of the authorities")]
    NoAuthorities(Mode),
    /// No certificate could be made.
    #[error("no certificate could be made: {0}")]
    Make(String),
}
