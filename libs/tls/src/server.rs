//! What a server shows, and whom it asks for a certificate.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificate::{Facts, end_point};
use crate::error::TlsError;
use crate::{files, provider};

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinVersion {
    /// 1.2, and 1.3 with who has it.
    #[default]
    Tls12,
    /// 1.3 and nothing else.
    Tls13,
}

impl MinVersion {
    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        static NEWEST: [&SupportedProtocolVersion; 1] = [&TLS13];
        match self {
            Self::Tls12 => &BOTH,
            Self::Tls13 => &NEWEST,
        }
    }
}

impl FromStr for MinVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim_start_matches("TLSv") {
            "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            _ => Err(format!("\"{text}\" is neither 1.2 nor 1.3")),
        }
    }
}

/// Whether clients show certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Those that have one may.
    #[default]
    Optional,
    /// Who has none stays outside.
    Required,
}

/// Where all of it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// The certificate, and those between it and an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of clients' certificates; without one no client is asked.
    pub client_authorities: Option<PathBuf>,
    /// Whether clients must have one.
    pub client_certificates: ClientCertificates,
    /// The oldest version.
    pub min_version: MinVersion,
    /// What is spoken within TLS, as its client may name it.
    pub protocol: &'static [u8],
}

impl ServerOptions {
    /// Every file that is read.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.certificate, &self.key]
            .into_iter()
            .chain(&self.client_authorities)
            .map(PathBuf::as_path)
    }
}

/// A certificate that is shown to clients.
pub struct ServerTls {
    acceptor: TlsAcceptor,
    facts: Facts,
    pem: Vec<u8>,
    end_point: Option<Vec<u8>>,
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl ServerTls {
    /// Reads the files, and sees whether they belong together.
    pub fn load(options: &ServerOptions) -> Result<Self, TlsError> {
        let chain = files::certificates(&options.certificate)?;
        let key = files::key(&options.key)?;
        let pair = |why: String| TlsError::Pair {
            certificate: options.certificate.clone(),
            key: options.key.clone(),
            why,
        };
        let first = chain.first().cloned();
        let certificate = first.ok_or_else(|| pair("there is no certificate".to_owned()))?;
        let facts = Facts::of(&certificate)
            .ok_or_else(|| files::content(&options.certificate, "it is no X.509 certificate"))?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(options.min_version.versions())
            .map_err(|why| TlsError::Options(why.to_string()))?;
        let builder = match &options.client_authorities {
            Some(path) => {
                let authorities = Arc::new(files::authorities(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider());
                let verifier = match options.client_certificates {
                    ClientCertificates::Optional => verifier.allow_unauthenticated(),
                    ClientCertificates::Required => verifier,
                };
                let verifier = verifier.build();
                builder.with_client_cert_verifier(
                    verifier.map_err(|why| files::content(path, why.to_string()))?,
                )
            }
            None if options.client_certificates == ClientCertificates::Required => {
                return Err(TlsError::Options(
                    "clients must have certificates, and no file names the authorities of them"
                        .to_owned(),
                ));
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|why| pair(why.to_string()))?;
        config.alpn_protocols = vec![options.protocol.to_vec()];
        // PostgreSQL's clients take up no session again; and who leaves without having read a ticket would leave by a reset.
        config.send_tls13_tickets = 0;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            facts,
            end_point: end_point(&certificate),
            pem: files::read(&options.certificate)?,
        })
    }

    /// Shakes hands with a client.
    pub async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }

    /// What stands in the certificate.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The certificate and those behind it, as the file has them.
    pub fn pem(&self) -> &[u8] {
        &self.pem
    }

    /// What binds a log-in to this certificate, if anything does.
    pub fn end_point(&self) -> Option<&[u8]> {
        self.end_point.as_deref()
    }
}
