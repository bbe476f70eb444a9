//! The socket of a client: by the network, in clear text or within TLS; or the Unix socket.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tls::{Facts, Line, ServerTls};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// First byte of a client that begins with TLS and asks nothing.
const HANDSHAKE: u8 = 0x16;

/// A connection. One by the network may become one within TLS.
#[derive(Debug)]
pub enum Socket {
    /// By the network.
    Network(Line<TcpStream>),
    /// By the Unix socket. What it carries does not leave the machine: there is no TLS in it.
    Local(UnixStream),
    /// The hand is being shaken; it stays so where that fails.
    Between,
}

/// What is known of a connection within TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// The version, as PostgreSQL calls it: `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, by IANA's name.
    pub cipher: String,
    /// What stands in the certificate that the client has shown.
    pub client: Option<Facts>,
}

impl Secured {
    /// Length of the cipher's key.
    pub fn bits(&self) -> u16 {
        if self.cipher.contains("AES_128") {
            128
        } else {
            256
        }
    }
}

impl Socket {
    /// A connection in clear text.
    pub fn clear(stream: TcpStream) -> Self {
        Self::Network(Line::Clear(stream))
    }

    /// The connection itself, of a client that has come by the network.
    pub fn into_line(self) -> io::Result<Line<TcpStream>> {
        match self {
            Self::Network(line) => Ok(line),
            Self::Local(_) => Err(io::Error::other("the connection is one of the Unix socket")),
            Self::Between => Err(between()),
        }
    }

    /// The address that the client has called; none where it has come by the Unix socket.
    pub fn local_addr(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::Network(line) => line.get_ref().local_addr().map(Some),
            Self::Local(_) => Ok(None),
            Self::Between => Err(between()),
        }
    }

    /// Whether the client begins with TLS, without a request for it. Nothing is taken.
    pub async fn begins_with_tls(&self) -> io::Result<bool> {
        let Self::Network(Line::Clear(stream)) = self else {
            return Ok(false);
        };
        let mut first = [0];
        let count = stream.peek(&mut first).await?;
        Ok(count == 1 && first == [HANDSHAKE])
    }

    /// Shakes hands with the client; all that follows is within TLS. `protocol`: the client has to name the protocol
    /// that it speaks.
    ///
    /// Error: the connection is of no use any more.
    pub async fn secure(&mut self, tls: &ServerTls, protocol: bool) -> io::Result<Secured> {
        let stream = match std::mem::replace(self, Self::Between) {
            Self::Network(Line::Clear(stream)) => stream,
            Self::Network(Line::Tls(_)) => return Err(io::Error::other("TLS within TLS")),
            Self::Local(_) => return Err(io::Error::other("TLS within the Unix socket")),
            Self::Between => return Err(between()),
        };
        let stream = tls.accept(stream).await?;
        let (_, connection) = stream.get_ref();
        if protocol && connection.alpn_protocol() != Some(tls::ALPN) {
            return Err(io::Error::other(
                "received direct SSL connection request without ALPN protocol negotiation extension",
            ));
        }
        let version = match connection.protocol_version() {
            Some(tls::Version::TLSv1_3) => "TLSv1.3",
            Some(tls::Version::TLSv1_2) => "TLSv1.2",
            _ => "unknown",
        };
        let cipher = connection.negotiated_cipher_suite();
        let shown = connection.peer_certificates().and_then(|all| all.first());
        let secured = Secured {
            version,
            cipher: cipher.map_or_else(String::new, |suite| name(&format!("{:?}", suite.suite()))),
            client: shown.and_then(Facts::of),
        };
        *self = Self::Network(stream.into());
        Ok(secured)
    }
}

/// IANA's name of a cipher suite; the library's tells the version once more.
fn name(suite: &str) -> String {
    suite.replacen("TLS13_", "TLS_", 1)
}

fn between() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the connection has no TLS and no clear text",
    )
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Network(line) => Pin::new(line).poll_read(context, buffer),
            Self::Local(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Between => Poll::Ready(Err(between())),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Network(line) => Pin::new(line).poll_write(context, bytes),
            Self::Local(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Between => Poll::Ready(Err(between())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Network(line) => Pin::new(line).poll_flush(context),
            Self::Local(stream) => Pin::new(stream).poll_flush(context),
            Self::Between => Poll::Ready(Err(between())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Network(line) => Pin::new(line).poll_shutdown(context),
            Self::Local(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Between => Poll::Ready(Err(between())),
        }
    }
}
