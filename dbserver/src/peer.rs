//! The other end of a connection: an address of the network, or a process of this machine.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// It has come by the network.
    Network(SocketAddr),
    /// It has come by the Unix socket. What it is, the kernel has told.
    Local {
        /// The user that its process runs as.
        uid: u32,
        /// The number of that process; 0 where it is not to be seen from here.
        pid: i32,
    },
}

impl Peer {
    /// What the connections of one client have in common.
    pub fn host(&self) -> PeerHost {
        match *self {
            Self::Network(address) => PeerHost::Address(address.ip()),
            Self::Local { uid, pid: _ } => PeerHost::Local { uid },
        }
    }

    /// Its address in the network, if it has come by that.
    pub fn address(&self) -> Option<SocketAddr> {
        match *self {
            Self::Network(address) => Some(address),
            Self::Local { .. } => None,
        }
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self::Network(address)
    }
}

/// In one word: records of audits and lines of the log are split at blanks.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => write!(f, "{address}"),
            Self::Local { uid, pid } => write!(f, "local(uid={uid},pid={pid})"),
        }
    }
}

/// Where clients are whose connections count as one's: an address without its port, or a user of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerHost {
    /// An address of the network.
    Address(IpAddr),
    /// A user of this machine.
    Local {
        /// The number of that user.
        uid: u32,
    },
}

impl fmt::Display for PeerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Local { uid } => write!(f, "local(uid={uid})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_one_word_and_its_host_the_part_that_stays() {
        let far = Peer::from(SocketAddr::from(([10, 0, 0, 5], 4000)));
        let near = Peer::Local { uid: 33, pid: 4711 };
        for (peer, whole, host) in [
            (far, "10.0.0.5:4000", "10.0.0.5"),
            (near, "local(uid=33,pid=4711)", "local(uid=33)"),
        ] {
            assert_eq!(
                (&*peer.to_string(), &*peer.host().to_string()),
                (whole, host)
            );
            assert!(!peer.to_string().contains(' '));
        }
        assert_ne!(near.host(), Peer::Local { uid: 0, pid: 4711 }.host());
    }
}
