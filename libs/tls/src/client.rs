//! What a client asks for.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::any_certificate::{ByMode, Trust};
use crate::error::TlsError;
use crate::mode::Mode;
use crate::{ALPN, files, provider};

/// What is wanted of TLS, and by which files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientOptions {
    /// How much.
    pub mode: Mode,
    /// Certificates of the authorities, or of the server itself.
    pub authorities: Option<PathBuf>,
    /// The client's own certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// TLS of a client.
#[derive(Clone)]
pub struct ClientTls {
    mode: Mode,
    /// `None`: clear text only.
    connector: Option<TlsConnector>,
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl ClientTls {
    /// Clear text.
    pub fn none() -> Self {
        Self {
            mode: Mode::Disable,
            connector: None,
        }
    }

    /// Reads the files.
    pub fn load(options: &ClientOptions) -> Result<Self, TlsError> {
        let mode = options.mode;
        if mode == Mode::Disable {
            return Ok(Self::none());
        }
        let provider = provider();
        let trust = match &options.authorities {
            Some(path) => {
                let authorities = Arc::new(files::authorities(path)?);
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(authorities, Arc::clone(&provider));
                Trust::Authority {
                    verifier: verifier
                        .build()
                        .map_err(|why| files::content(path, why.to_string()))?,
                    pinned: files::certificates(path)?,
                    checks_name: mode == Mode::VerifyFull,
                }
            }
            None if mode.needs_authority() => {
                return Err(TlsError::NoAuthorities(mode));
            }
            None => Trust::Any,
        };
        let verifier = Arc::new(ByMode::new(&provider, trust));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|why| TlsError::Options(why.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &options.certificate {
            Some((certificate, key)) => {
                let pair = (files::certificates(certificate)?, files::key(key)?);
                let config = builder.with_client_auth_cert(pair.0, pair.1);
                config.map_err(|why| TlsError::Pair {
                    certificate: certificate.clone(),
                    key: key.clone(),
                    why: why.to_string(),
                })?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        let connector = Some(TlsConnector::from(Arc::new(config)));
        Ok(Self { mode, connector })
    }

    /// How much is wanted.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Shakes hands with a server that has said that it has TLS; `host` is the name or address that was connected to.
    pub async fn connect<S>(&self, host: &str, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(connector) = &self.connector else {
            return Err(io::Error::other("TLS is switched off"));
        };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        connector.connect(name, stream).await
    }
}
