//! Which slaves this process feeds, and over which connections: two addresses may be one server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use dbconfig::HostService;

/// The connections of this process that feed a slave. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Peers(Arc<Mutex<Vec<(SocketAddr, HostService)>>>);

/// A connection that feeds a slave, as long as this lives.
#[derive(Debug)]
pub struct Fed {
    peers: Peers,
    from: SocketAddr,
}

impl Peers {
    /// A slave is fed from this address of ours.
    pub fn feed(&self, from: SocketAddr, slave: &HostService) -> Fed {
        self.with(|fed| fed.push((from, slave.clone())));
        let peers = self.clone();
        Fed { peers, from }
    }

    /// The slave that this process feeds already, where a server says that it is fed, and from where.
    pub fn named_in(&self, refusal: &str) -> Option<HostService> {
        let is_named = |from: &SocketAddr| refusal.contains(&format!("from {from},"));
        self.with(|fed| {
            let named = fed.iter().find(|(from, _)| is_named(from));
            named.map(|(_, slave)| slave.clone())
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<(SocketAddr, HostService)>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        self.peers
            .with(|fed| fed.retain(|(from, _)| *from != self.from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_names_a_connection_of_ours_names_the_slave() {
        let peers = Peers::default();
        let north: HostService = "north:8102".parse().unwrap();
        let fed = peers.feed("192.0.2.1:5000".parse().unwrap(), &north);
        let told = |from: &str| format!("another dbrepl feeds this slave: from {from}, since noon");
        assert_eq!(peers.named_in(&told("192.0.2.1:5000")), Some(north));
        assert_eq!(peers.named_in(&told("192.0.2.1:500")), None);
        assert_eq!(peers.named_in(&told("192.0.2.1:50001")), None);
        drop(fed);
        assert_eq!(peers.named_in(&told("192.0.2.1:5000")), None);
    }
}
