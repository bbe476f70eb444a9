//! A connection in clear text or within TLS; and how a client's becomes the one or the other.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsStream, client, server};

use crate::certificate::end_point;
use crate::client::ClientTls;
use crate::mode::Mode;
use crate::request::{self, Answer, Words};

/// A connection, of either side.
#[derive(Debug)]
pub enum Line<S> {
    /// Clear text.
    Clear(S),
    /// Within TLS.
    Tls(Box<TlsStream<S>>),
}

/// Why a connection is of no use.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The connection broke.
    #[error("{0}")]
    Lost(#[from] io::Error),
    /// The server has no TLS, and clear text will not do.
    #[error("the server does not support TLS, and {0} wants it")]
    NoTls(Mode),
    /// The server refuses, whoever asks and whatever for.
    #[error("{} ({})", .0.message, .0.sqlstate)]
    Told(Words),
    /// The server answered with something else.
    #[error("this is no answer of a database server")]
    NoAnswer,
    /// The hand was not taken: most often the certificate is not what it should be.
    #[error("no TLS with the server: {0}")]
    Handshake(io::Error),
}

impl<S> From<client::TlsStream<S>> for Line<S> {
    fn from(stream: client::TlsStream<S>) -> Self {
        Self::Tls(Box::new(stream.into()))
    }
}

impl<S> From<server::TlsStream<S>> for Line<S> {
    fn from(stream: server::TlsStream<S>) -> Self {
        Self::Tls(Box::new(stream.into()))
    }
}

impl<S> Line<S> {
    /// The connection below.
    pub fn get_ref(&self) -> &S {
        match self {
            Self::Clear(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// Asks a server for what the mode wants, before anything else is said to it. `host` is the name or address that was
    /// connected to.
    pub async fn agree(mut stream: S, host: &str, tls: &ClientTls) -> Result<Self, Refused> {
        if tls.mode() == Mode::Disable {
            return Ok(Self::Clear(stream));
        }
        match request::ask(&mut stream).await? {
            Answer::Yes => {}
            Answer::No if tls.mode().is_required() => return Err(Refused::NoTls(tls.mode())),
            Answer::No => return Ok(Self::Clear(stream)),
            Answer::Refused(words) => return Err(Refused::Told(words)),
            Answer::Other => return Err(Refused::NoAnswer),
        }
        let stream = tls.connect(host, stream).await;
        Ok(stream.map_err(Refused::Handshake)?.into())
    }

    /// What binds a log-in to the certificate that the other side has shown, if anything does.
    pub fn binding(&self) -> Option<Vec<u8>> {
        match self {
            Self::Clear(_) => None,
            Self::Tls(stream) => {
                let (_, connection) = stream.get_ref();
                end_point(connection.peer_certificates()?.first()?)
            }
        }
    }

    /// Whether it is within TLS.
    pub fn is_secured(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => match Pin::new(stream).poll_read(context, buffer) {
                // Who closes without the word of TLS has gone, as one in clear text has: messages have their lengths.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Poll::Ready(Ok(()))
                }
                read => read,
            },
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Clear(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
