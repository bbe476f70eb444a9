//! TLS to a server, as the driver wants it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tls::{ClientOptions, ClientTls, Line, Mode, TlsError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

use crate::args::TlsArguments;
use crate::error::{CommandError, Result};

/// What is wanted of TLS.
#[derive(Clone, Debug)]
pub(crate) struct Tls(ClientTls);

impl Tls {
    /// What the options say; the files that they name are read.
    pub(crate) fn from_arguments(arguments: &TlsArguments) -> Result<Self> {
        let certificate = match (&arguments.cert_file, &arguments.key_file) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            _ => {
                return Err(CommandError::usage(
                    "--cert-file and --key-file belong together",
                ));
            }
        };
        let options = ClientOptions {
            mode: arguments.tls.unwrap_or_default(),
            authorities: arguments.ca_file.clone(),
            certificate,
        };
        let tls = ClientTls::load(&options);
        tls.map(Self).map_err(|error| {
            let names = match error {
                TlsError::NoAuthorities(_) => "; --ca-file names it",
                _ => "",
            };
            CommandError::usage(format!("--tls: {error}{names}"))
        })
    }

    /// None at all: what the Unix socket has.
    pub(crate) fn none() -> Self {
        Self(ClientTls::none())
    }

    /// How the driver asks for it.
    pub(crate) fn mode(&self) -> SslMode {
        match self.0.mode() {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }
}

/// A handshake with the server of this name.
pub(crate) struct Handshake {
    tls: ClientTls,
    host: String,
}

/// A connection within TLS.
pub(crate) struct Secured<S>(Line<S>);

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Secured<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        Ok(Handshake {
            tls: self.0.clone(),
            host: host.to_owned(),
        })
    }
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Secured<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secured<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let stream = self.tls.connect(&self.host, stream).await?;
            Ok(Secured(stream.into()))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Secured<S> {
    fn channel_binding(&self) -> ChannelBinding {
        match self.0.binding() {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}
