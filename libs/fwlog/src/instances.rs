//! Who an instance is, and whom it has met: the file `DataDir/instances`.
//!
//! ```text
//!  version = 1
//!  instance = <id> <boot nonce> <name>
//!  formerly = <id> <until when> <name>                                each other name that this DataDir has had
//!  peer = <id> <source|slave> <first seen> <last seen> <name>         each instance that it was connected with
//!  rival = <position> <our generation> <their generation> <name>      one that is the root, too, behind this position
//!  blake3 = <of all before it>
//! ```

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use disk::Disk;

use crate::identity::{BootNonce, InstanceId};
use crate::numbers::Generation;
use crate::position::Position;
use crate::sealed_text::{self, SealedFile, SealedFileError};
use crate::timestamp::Timestamp;

/// Name of the file in DataDir.
pub const INSTANCES_FILE: &str = "instances";

/// Peers beyond so many are forgotten, those first that were not seen for the longest time.
const MAX_PEERS: usize = 256;

const FILE: SealedFile = SealedFile {
    what: "instance",
    version: 1,
};

/// An instance as it speaks for itself: id, this run of it, name. Its text is a line of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Its id.
    pub id: InstanceId,
    /// Drawn at its last start.
    pub boot: BootNonce,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.id, self.boot, self.name)
    }
}

impl FromStr for Speaker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("odd instance '{text}'");
        let mut words = text.splitn(3, ' ');
        let mut next = || words.next().ok_or_else(odd);
        Ok(Self {
            id: next()?.parse().map_err(|_| odd())?,
            boot: next()?.parse().map_err(|_| odd())?,
            name: next()?.to_owned(),
        })
    }
}

/// A name that the instance had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formerly {
    /// Its id under that name.
    pub id: InstanceId,
    /// When it got the next name.
    pub until: Timestamp,
    /// The name.
    pub name: String,
}

impl fmt::Display for Formerly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.id, self.until.micros(), self.name)
    }
}

impl FromStr for Formerly {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("odd former name '{text}'");
        let mut words = text.splitn(3, ' ');
        let mut next = || words.next().ok_or_else(odd);
        Ok(Self {
            id: next()?.parse().map_err(|_| odd())?,
            until: Timestamp::from_micros(next()?.parse().map_err(|_| odd())?),
            name: next()?.to_owned(),
        })
    }
}

/// What another instance is to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerRelation {
    /// Its log comes here.
    Source,
    /// The log of this one goes there.
    Slave,
}

impl fmt::Display for PeerRelation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Slave => "slave",
        })
    }
}

/// Another instance that this one was connected with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub id: InstanceId,
    /// What it is to this one.
    pub relation: PeerRelation,
    /// When it was first seen as that.
    pub first: Timestamp,
    /// And last, as far as is written: news, not truth.
    pub last: Timestamp,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.first.micros(), self.last.micros());
        let (id, relation, name) = (self.id, self.relation, &self.name);
        write!(f, "{id} {relation} {first} {last} {name}")
    }
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("odd peer '{text}'");
        let mut words = text.splitn(5, ' ');
        let mut next = || words.next().ok_or_else(odd);
        Ok(Self {
            id: next()?.parse().map_err(|_| odd())?,
            relation: match next()? {
                "source" => PeerRelation::Source,
                "slave" => PeerRelation::Slave,
                _ => return Err(odd()),
            },
            first: Timestamp::from_micros(next()?.parse().map_err(|_| odd())?),
            last: Timestamp::from_micros(next()?.parse().map_err(|_| odd())?),
            name: next()?.to_owned(),
        })
    }
}

/// Another instance that became the root behind the same point as this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Up to there both logs are the same.
    pub at: Position,
    /// The generation with which this instance has become the root.
    pub ours: Generation,
    /// The same of the other one.
    pub theirs: Generation,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, ours, theirs, name) = (self.at, self.ours, self.theirs, &self.name);
        write!(f, "{at} {ours} {theirs} {name}")
    }
}

impl FromStr for Rival {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("odd rival '{text}'");
        let mut words = text.splitn(4, ' ');
        let mut next = || words.next().ok_or_else(odd);
        Ok(Self {
            at: next()?.parse().map_err(|_| odd())?,
            ours: next()?.parse().map_err(|_| odd())?,
            theirs: next()?.parse().map_err(|_| odd())?,
            name: next()?.to_owned(),
        })
    }
}

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instances {
    /// Who this is.
    pub own: Speaker,
    /// Who it was before, the oldest first.
    pub formerly: Vec<Formerly>,
    /// Whom it has met.
    pub peers: Vec<Peer>,
    /// Who is the root, too, until that is settled.
    pub rival: Option<Rival>,
}

impl Instances {
    /// An instance that has no past.
    pub fn new(own: Speaker) -> Self {
        Self {
            own,
            formerly: Vec::new(),
            peers: Vec::new(),
            rival: None,
        }
    }

    /// The instance runs under this name: where that is another one, it is another instance from now on, with this id.
    pub fn run_as(&mut self, name: &str, id: InstanceId, now: Timestamp) {
        if self.own.name == name {
            return;
        }
        let former = Formerly {
            id: self.own.id,
            until: now,
            name: std::mem::replace(&mut self.own.name, name.to_owned()),
        };
        self.formerly.push(former);
        self.own.id = id;
    }

    /// It is connected with another instance at this time. Tells whether that one is new, or has another name or relation.
    pub fn meet(
        &mut self,
        id: InstanceId,
        name: &str,
        relation: PeerRelation,
        now: Timestamp,
    ) -> bool {
        let same = |peer: &&mut Peer| peer.id == id && peer.relation == relation;
        if let Some(peer) = self.peers.iter_mut().find(same) {
            peer.last = peer.last.max(now);
            if peer.name == name {
                return false;
            }
            name.clone_into(&mut peer.name);
            return true;
        }
        self.peers.push(Peer {
            id,
            relation,
            first: now,
            last: now,
            name: name.to_owned(),
        });
        if self.peers.len() > MAX_PEERS
            && let Some(oldest) = self.peers.iter().map(|peer| peer.last).min()
        {
            self.peers.retain(|peer| peer.last > oldest);
        }
        true
    }

    /// Reads the file; `None` where there is none.
    pub fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, SealedFileError> {
        FILE.read(disk, path, |lines| {
            let (mut own, mut formerly, mut peers) = (None, Vec::new(), Vec::new());
            let mut rival = None;
            for (key, value) in lines {
                match *key {
                    "instance" => own = Some(value.parse()?),
                    "formerly" => formerly.push(value.parse()?),
                    "peer" => peers.push(value.parse()?),
                    "rival" => rival = Some(value.parse()?),
                    _ => return Err(format!("odd line '{key} = {value}'")),
                }
            }
            Ok(Self {
                own: own.ok_or("it does not say who this is")?,
                formerly,
                peers,
                rival,
            })
        })
    }

    /// Replaces the file durably.
    pub fn write(&self, disk: &Disk, path: &Path) -> Result<(), SealedFileError> {
        let mut body = FILE.begin();
        body.line("instance", &self.own);
        for former in &self.formerly {
            body.line("formerly", former);
        }
        for peer in &self.peers {
            body.line("peer", peer);
        }
        // Only as long as it is not settled: an older server knows no such line.
        if let Some(rival) = &self.rival {
            body.line("rival", rival);
        }
        sealed_text::replace(disk, path, body, 0o600)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sealed_text::Body;

    fn sample() -> Instances {
        let mut instances = Instances::new(Speaker {
            id: InstanceId::from_bytes([1; 16]),
            boot: BootNonce::from_bytes([2; 16]),
            name: "north".into(),
        });
        let other = InstanceId::from_bytes([3; 16]);
        instances.run_as(
            "south",
            InstanceId::from_bytes([4; 16]),
            Timestamp::from_micros(5),
        );
        assert!(instances.meet(
            other,
            "east",
            PeerRelation::Source,
            Timestamp::from_micros(6)
        ));
        assert!(!instances.meet(
            other,
            "east",
            PeerRelation::Source,
            Timestamp::from_micros(7)
        ));
        instances.rival = Some(Rival {
            at: "1-3:900".parse().unwrap(),
            ours: Generation::new(2),
            theirs: Generation::new(3),
            name: "south of it".into(),
        });
        instances
    }

    #[test]
    fn a_name_has_one_id_and_a_new_name_is_recorded() {
        let mut instances = sample();
        let id = instances.own.id;
        instances.run_as(
            "south",
            InstanceId::from_bytes([9; 16]),
            Timestamp::from_micros(8),
        );
        assert_eq!(instances.own.id, id, "the name is the same");
        let [former] = &*instances.formerly else {
            panic!("it was north before");
        };
        assert_eq!(
            (&*former.name, former.id),
            ("north", InstanceId::from_bytes([1; 16]))
        );
    }

    #[test]
    fn what_is_written_is_read_back_and_no_byte_of_it_may_be_another() {
        let simulated = disk::testing::SimulatedDisk::new(1);
        let disk = simulated.process().disk();
        let path = Path::new("/instances");
        assert_eq!(Instances::read(&disk, path).unwrap(), None);
        sample().write(&disk, path).unwrap();
        assert_eq!(Instances::read(&disk, path).unwrap(), Some(sample()));
        let good = disk.read(path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            disk.write_atomic(path, &bad, 0o600).unwrap();
            let error = Instances::read(&disk, path).unwrap_err();
            assert!(
                matches!(error, SealedFileError::Damaged { .. }),
                "{at}: {error}"
            );
            disk.write_atomic(path, &good[..at], 0o600).unwrap();
            assert!(Instances::read(&disk, path).is_err(), "{at}");
        }
    }

    #[test]
    fn a_later_format_is_refused_by_its_number() {
        let simulated = disk::testing::SimulatedDisk::new(1);
        let disk = simulated.process().disk();
        let path = Path::new("/instances");
        let mut body = Body::default();
        body.line("version", 2);
        body.line("something", "new");
        disk.write_atomic(path, body.seal().as_bytes(), 0o600)
            .unwrap();
        assert_eq!(
            Instances::read(&disk, path).unwrap_err().to_string(),
            "instance file /instances has format 2; this server reads 1"
        );
    }

    #[test]
    fn the_peer_that_was_not_seen_for_the_longest_time_is_forgotten_first() {
        let mut instances = sample();
        for number in 0..MAX_PEERS {
            let mut id = [7; 16];
            id[..8].copy_from_slice(&number.to_le_bytes());
            let now = Timestamp::from_micros(100 + number as u64);
            instances.meet(InstanceId::from_bytes(id), "x", PeerRelation::Slave, now);
        }
        assert_eq!(instances.peers.len(), MAX_PEERS);
        assert!(!instances.peers.iter().any(|peer| peer.name == "east"));
    }
}
