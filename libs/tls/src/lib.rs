//! TLS of all connections, by rustls: what a server shows, what a client asks for, and what binds a password to both.
//!
//! A server has one certificate, read from files and read again when they change ([`Shown`]); a client has a [`Mode`]
//! with libpq's names and meanings. The request that comes before TLS in PostgreSQL's protocol is [`request`]'s.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod any_certificate;
mod certificate;
mod client;
mod error;
mod files;
mod line;
mod mode;
pub mod request;
pub mod scram;
mod self_signed;
mod server;
mod shown;
pub mod testing;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

pub use certificate::{Facts, end_point};
pub use client::{ClientOptions, ClientTls};
pub use error::TlsError;
pub use line::{Line, Refused};
pub use mode::Mode;
pub use rustls::ProtocolVersion as Version;
pub use self_signed::{SelfSigned, self_signed};
pub use server::{ClientCertificates, MinVersion, ServerOptions, ServerTls};
pub use shown::{Renewal, Shown};

/// The protocol that PostgreSQL's clients name within TLS.
pub const ALPN: &[u8] = b"postgresql";

/// Names the one implementation of the ciphers to libraries that take that of the process.
pub fn install_provider() {
    // Another thread may have done it; there is one alone that it could have named.
    drop(ring::default_provider().install_default());
}

/// The one implementation of the ciphers.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
