//! Where connections come in, and what they are before anything is said on them.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::peer::Peer;
use crate::wire::Socket;

/// A socket that waits for clients.
#[derive(Debug)]
pub enum Listener {
    /// A port of an address.
    Network(TcpListener),
    /// A Unix socket.
    Local(UnixListener),
}

/// A connection that belongs to the event loop which has accepted it.
#[derive(Debug)]
pub enum Accepted {
    /// By the network.
    Network(TcpStream),
    /// By the Unix socket.
    Local(UnixStream),
}

/// The same on its way to another thread.
#[derive(Debug)]
pub enum Detached {
    /// By the network.
    Network(std::net::TcpStream),
    /// By the Unix socket.
    Local(std::os::unix::net::UnixStream),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Network(listener)
    }
}

impl Listener {
    /// The next connection, and who is at its other end.
    pub async fn accept(&self) -> io::Result<(Accepted, Peer)> {
        match self {
            Self::Network(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Accepted::Network(stream), address.into()))
            }
            Self::Local(listener) => {
                let (stream, _) = listener.accept().await?;
                let peer = stream.peer_cred()?;
                let peer = Peer::Local {
                    uid: peer.uid(),
                    pid: peer.pid().unwrap_or_default(),
                };
                Ok((Accepted::Local(stream), peer))
            }
        }
    }
}

impl Accepted {
    /// Ready when the client has said something, or has gone.
    pub async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Network(stream) => stream.readable().await,
            Self::Local(stream) => stream.readable().await,
        }
    }

    /// Writes what goes out without a wait.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Network(stream) => stream.try_write(bytes),
            Self::Local(stream) => stream.try_write(bytes),
        }
    }

    /// Takes it out of its event loop.
    pub fn detach(self) -> io::Result<Detached> {
        Ok(match self {
            Self::Network(stream) => Detached::Network(stream.into_std()?),
            Self::Local(stream) => Detached::Local(stream.into_std()?),
        })
    }
}

impl Detached {
    /// One more descriptor of the connection.
    pub fn twin(&self) -> io::Result<OwnedFd> {
        Ok(match self {
            Self::Network(stream) => stream.try_clone()?.into(),
            Self::Local(stream) => stream.try_clone()?.into(),
        })
    }

    /// Puts it into the event loop of the calling thread; gives the address that the client has called, too, where it
    /// has come by the network.
    pub fn attach(self) -> io::Result<(Socket, Option<SocketAddr>)> {
        match self {
            Self::Network(stream) => {
                let stream = TcpStream::from_std(stream)?;
                stream.set_nodelay(true)?;
                let called = stream.local_addr()?;
                Ok((Socket::clear(stream), Some(called)))
            }
            Self::Local(stream) => Ok((Socket::Local(UnixStream::from_std(stream)?), None)),
        }
    }
}
