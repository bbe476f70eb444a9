//! Who is at the other end of a connection, as far as that is known before it is let in.

use std::net::SocketAddr;
use std::sync::Arc;

use dbconfig::Net;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::peer::{Peer, PeerHost};
use crate::pg::secure::Channel;
use crate::wire::{ProxyHeader, Secured};

/// So much of a name that nobody has proved goes into the log, in characters.
const LONGEST_NAME: usize = 100;

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Where the connection comes from.
    pub(super) peer: Peer,
    /// What TLS has told, if there is any.
    pub(super) channel: Option<Channel>,
    /// Where the client is. Where the connection was handed on, that is what the PROXY header says.
    pub(super) client: Peer,
    /// The address that the client has called, where it has come by the network.
    pub(super) called: Option<SocketAddr>,
    /// The server that has handed the connection on, if one has.
    pub(super) through: Option<SocketAddr>,
    /// How often the session was handed on before it came here.
    pub(super) hops: u8,
    /// Who it says that it is.
    pub(super) user: String,
    /// The rule of access that has kept it out, with file and line; for the log alone.
    pub(super) refused_by: Option<String>,
}

/// So much of a name as may go into a message.
pub(super) fn claimed(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

impl Caller {
    /// A client that has called this address, and has said nothing yet.
    pub(super) fn new(client: Peer, called: Option<SocketAddr>) -> Self {
        Self {
            peer: client,
            channel: None,
            client,
            called,
            through: None,
            hops: 0,
            user: String::new(),
            refused_by: None,
        }
    }

    /// Takes who it says that it is.
    pub(super) fn claim(&mut self, user: Option<&String>) {
        self.user = user.map(|user| claimed(user)).unwrap_or_default();
    }

    /// What is known of its line, if that is within TLS.
    pub(super) fn secured(&self) -> Option<Arc<Secured>> {
        let channel = self.channel.as_ref()?;
        Some(Arc::clone(&channel.secured))
    }

    /// Believes what a header says, if it comes from one of these networks.
    ///
    /// Errors: 28000.
    pub(super) fn came_through(
        &mut self,
        header: &ProxyHeader,
        trusted: &[Net],
    ) -> Result<(), Failure> {
        let from = self.peer.host();
        let is_trusted = match from {
            PeerHost::Address(from) => trusted.iter().any(|network| network.contains(from)),
            // A server hands sessions on by the network.
            PeerHost::Local { .. } => false,
        };
        if !is_trusted {
            return Err(Failure::fatal(
                SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                format!("sessions that {from} redirects are not accepted by this server"),
            )
            .hint("RedirectFrom in section Replication of this server's configuration names the slaves that may."));
        }
        if let Some((client, called)) = header.addresses {
            self.through = self.peer.address();
            (self.client, self.called) = (client.into(), Some(called));
        }
        self.hops = header.hops;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_believed_from_where_it_may_come() {
        let slave = SocketAddr::from(([10, 0, 0, 5], 4000));
        let here = SocketAddr::from(([10, 0, 0, 1], 8102));
        let client = SocketAddr::from(([192, 0, 2, 7], 5000));
        let header = ProxyHeader {
            addresses: Some((client, slave)),
            hops: 1,
        };
        let mut caller = Caller::new(slave.into(), Some(here));
        for trusted in ["", "10.0.0.6, 192.0.2.7", "10.0.1.0/24"] {
            let trusted: Vec<Net> = trusted
                .split(", ")
                .filter_map(|net| net.parse().ok())
                .collect();
            let refused = caller.came_through(&header, &trusted).unwrap_err();
            assert_eq!(refused.sqlstate().as_str(), "28000");
            assert!(refused.to_string().contains("10.0.0.5"), "{refused}");
            assert_eq!((caller.client, caller.hops), (slave.into(), 0));
        }
        let trusted = ["10.0.0.0/24".parse().unwrap()];
        caller.came_through(&header, &trusted).unwrap();
        assert_eq!(
            (caller.client, caller.called, caller.hops),
            (client.into(), Some(slave), 1)
        );
    }

    #[test]
    fn a_name_is_claimed_up_to_its_limit() {
        let address = SocketAddr::from(([10, 0, 0, 5], 4000));
        let mut caller = Caller::new(address.into(), Some(address));
        caller.claim(Some(&"ä".repeat(5000)));
        assert_eq!(caller.user.chars().count(), LONGEST_NAME);
        caller.claim(None);
        assert_eq!(caller.user, "");
    }
}
