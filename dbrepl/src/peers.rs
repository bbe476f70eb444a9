//! Which slaves this process feeds, and over which connections: two addresses may be one server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use dbconfig::HostService;
use fwlog::Speaker;

/// The connections of this process that feed a slave. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    fed: Arc<Mutex<Vec<(SocketAddr, HostService)>>>,
    named: Arc<Mutex<Vec<(Speaker, HostService)>>>,
}

/// A name that a slave has, as long as this lives: no other may come under it.
#[derive(Debug)]
pub struct Named {
    peers: Peers,
    slave: HostService,
}

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

    /// The slave at this address is this instance.
    ///
    /// Errors: another slave has its name; where that is. One server under two addresses is none.
    pub fn name(&self, speaker: &Speaker, slave: &HostService) -> Result<Named, HostService> {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = named.iter().find(|(other, at)| {
            at != slave
                && other.name == speaker.name
                && (other.id, other.boot) != (speaker.id, speaker.boot)
        });
        if let Some((_, at)) = taken {
            return Err(at.clone());
        }
        named.push((speaker.clone(), slave.clone()));
        let peers = self.clone();
        let slave = slave.clone();
        Ok(Named { peers, slave })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<(SocketAddr, HostService)>) -> T) -> T {
        work(&mut self.fed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        self.peers
            .with(|fed| fed.retain(|(from, _)| *from != self.from));
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let mut named = self
            .peers
            .named
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        named.retain(|(_, at)| *at != self.slave);
    }
}

#[cfg(test)]
mod tests {
    use fwlog::{BootNonce, InstanceId};

    use super::*;

    #[test]
    fn a_name_belongs_to_one_slave_as_long_as_that_is_fed() {
        let peers = Peers::default();
        let (one, other): (HostService, HostService) =
            ("one:8102".parse().unwrap(), "other:8102".parse().unwrap());
        let speaker = |id: u8, boot: u8, name: &str| Speaker {
            id: InstanceId::from_bytes([id; 16]),
            boot: BootNonce::from_bytes([boot; 16]),
            name: name.to_owned(),
        };
        let named = peers.name(&speaker(1, 1, "west"), &one).unwrap();
        assert_eq!(peers.name(&speaker(2, 2, "west"), &other).unwrap_err(), one);
        assert_eq!(
            peers.name(&speaker(1, 2, "west"), &other).unwrap_err(),
            one,
            "a copied DataDir"
        );
        drop(peers.name(&speaker(1, 1, "west"), &other).unwrap());
        drop(peers.name(&speaker(2, 2, "east"), &other).unwrap());
        drop(named);
        drop(peers.name(&speaker(1, 2, "west"), &other).unwrap());
        // One that was started again, or made anew, comes back to its own place.
        let first = peers.name(&speaker(1, 2, "west"), &one).unwrap();
        peers.name(&speaker(3, 3, "west"), &one).unwrap();
        drop(first);
    }

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
