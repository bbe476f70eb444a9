//! What instances have lost behind a point of the log, as each tells whoever feeds it; and what is settled of that, as each
//! tells those whom it feeds. Between two servers dbrepl carries both; beside each log it finds and leaves them in files.
//!
//! ```text
//!  slave-<instance>.lost:                   fw.settled:
//!  version = 1                              version = 1
//!  lost = <fork>                            settled = <chain hash of the fork> <instance id>
//!  blake3 = <of all before it>              blake3 = <of all before it>
//! ```
//! Both are news: what they say is told again as long as it holds.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use disk::Disk;

use crate::chain::ChainHash;
use crate::history::GenerationId;
use crate::identity::InstanceId;
use crate::numbers::CommitNumber;
use crate::position::LogPoint;
use crate::sealed_text::{self, SealedFile, SealedFileError};

/// Forks that are told at a time; those beyond are told once these are known.
pub const MAX_LOST_FORKS: usize = 256;
/// Generations of one fork.
pub const MAX_LOST_GENERATIONS: usize = 64;
/// Name of the file beside the log with what is settled.
pub const SERVED_SETTLED_FILE: &str = "fw.settled";

const LOST: SealedFile = SealedFile {
    what: "lost-transactions",
    version: 1,
};
const SETTLED: SealedFile = SealedFile {
    what: "settled-forks",
    version: 1,
};

/// What a fork of one instance is known by: an instance loses what it has behind a point once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LostForkId {
    /// The chain hash at the fork.
    pub hash: ChainHash,
    /// The instance whose transactions are lost.
    pub instance: InstanceId,
}

impl fmt::Display for LostForkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.hash, self.instance)
    }
}

impl FromStr for LostForkId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("'{text}' is no fork of an instance");
        let (hash, instance) = text.split_once(' ').ok_or_else(odd)?;
        Ok(Self {
            hash: hash.parse().map_err(|_| odd())?,
            instance: instance.parse().map_err(|_| odd())?,
        })
    }
}

/// Transactions that one instance has lost: it keeps them as files, and its log has gone on from the fork without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostFork {
    /// The instance.
    pub id: InstanceId,
    /// Its name.
    pub instance: String,
    /// It was the root: its files are the ones to be applied.
    pub was_root: bool,
    /// Where its log has left that of the root.
    pub fork: LogPoint,
    /// The newest commit up to there.
    pub commit: CommitNumber,
    /// How many.
    pub transactions: u64,
    /// The generations in which they were committed; no more than [`MAX_LOST_GENERATIONS`].
    pub generations: Vec<GenerationId>,
}

impl LostFork {
    /// What it is known by.
    pub fn id(&self) -> LostForkId {
        LostForkId {
            hash: self.fork.hash,
            instance: self.id,
        }
    }
}

impl fmt::Display for LostFork {
    /// Role, id, position, hash, commit, number, generations and name, with blanks between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = if self.was_root {
            "primary"
        } else {
            "secondary"
        };
        let LogPoint { position, hash } = self.fork;
        let generations: Vec<String> = self.generations.iter().map(ToString::to_string).collect();
        let generations = match generations.as_slice() {
            [] => "-".to_owned(),
            some => some.join(","),
        };
        write!(
            f,
            "{role} {} {position} {hash} {} {} {generations} {}",
            self.id, self.commit, self.transactions, self.instance
        )
    }
}

impl FromStr for LostFork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("'{text}' tells of no lost transactions");
        let words: Vec<&str> = text.splitn(8, ' ').collect();
        let [
            role,
            id,
            position,
            hash,
            commit,
            transactions,
            generations,
            instance,
        ] = words.as_slice()
        else {
            return Err(odd());
        };
        let named = generations.split(',').filter(|_| *generations != "-");
        let generations: Result<Vec<GenerationId>, _> = named.map(str::parse).collect();
        let generations = generations.map_err(|_| odd())?;
        if generations.len() > MAX_LOST_GENERATIONS || instance.is_empty() {
            return Err(odd());
        }
        Ok(Self {
            id: id.parse().map_err(|_| odd())?,
            instance: (*instance).to_owned(),
            was_root: match *role {
                "primary" => true,
                "secondary" => false,
                _ => return Err(odd()),
            },
            fork: LogPoint::new(
                position.parse().map_err(|_| odd())?,
                hash.parse().map_err(|_| odd())?,
            ),
            commit: CommitNumber::new(commit.parse().map_err(|_| odd())?),
            transactions: transactions.parse().map_err(|_| odd())?,
            generations,
        })
    }
}

/// What a slave tells of itself and of those below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LostForks(Vec<LostFork>);

impl LostForks {
    /// As many of these as are told at a time, each once.
    pub fn of(forks: impl IntoIterator<Item = LostFork>) -> Self {
        let mut seen = BTreeSet::new();
        let forks = forks.into_iter().filter(|fork| seen.insert(fork.id()));
        Self(forks.take(MAX_LOST_FORKS).collect())
    }

    /// All of them.
    pub fn all(&self) -> &[LostFork] {
        &self.0
    }

    /// Name of the file in which dbrepl leaves, beside the log, what a slave instance tells.
    pub fn file_name(instance: &str) -> String {
        format!("slave-{instance}.lost")
    }

    /// Whether that is the name of such a file.
    pub fn is_file_name(name: &str) -> bool {
        let rest = name.strip_prefix("slave-");
        rest.is_some_and(|rest| rest.strip_suffix(".lost").is_some())
    }

    /// Reads such a file; `None` where there is none.
    pub fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, SealedFileError> {
        LOST.read(disk, path, |lines| {
            let forks = lines.iter().map(|(key, value)| match *key {
                "lost" => value.parse(),
                _ => Err(format!("odd line '{key} = {value}'")),
            });
            let forks: Vec<LostFork> = forks.collect::<Result<_, _>>()?;
            if forks.len() > MAX_LOST_FORKS {
                return Err("it tells of too many".to_owned());
            }
            Ok(Self(forks))
        })
    }

    /// Replaces the file durably, with this mode.
    pub fn write(&self, disk: &Disk, path: &Path, mode: u32) -> Result<(), SealedFileError> {
        let mut body = LOST.begin();
        for fork in &self.0 {
            body.line("lost", fork);
        }
        sealed_text::replace(disk, path, body, mode)
    }
}

/// Forks of which a person has said that all is done, or will not be: `lost complete`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettledForks(BTreeSet<LostForkId>);

impl SettledForks {
    /// As many of these as are told.
    pub fn of(forks: impl IntoIterator<Item = LostForkId>) -> Self {
        Self(forks.into_iter().take(MAX_LOST_FORKS).collect())
    }

    /// All of them, in their order.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &LostForkId> {
        self.0.iter()
    }

    /// Whether this one is.
    pub fn contains(&self, fork: LostForkId) -> bool {
        self.0.contains(&fork)
    }

    /// Reads the file; `None` where there is none.
    pub fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, SealedFileError> {
        SETTLED.read(disk, path, |lines| {
            let forks = lines.iter().map(|(key, value)| match *key {
                "settled" => value.parse(),
                _ => Err(format!("odd line '{key} = {value}'")),
            });
            let forks: BTreeSet<LostForkId> = forks.collect::<Result<_, _>>()?;
            if forks.len() > MAX_LOST_FORKS {
                return Err("it tells of too many".to_owned());
            }
            Ok(Self(forks))
        })
    }

    /// Replaces the file durably, with this mode.
    pub fn write(&self, disk: &Disk, path: &Path, mode: u32) -> Result<(), SealedFileError> {
        let mut body = SETTLED.begin();
        for fork in &self.0 {
            body.line("settled", fork);
        }
        sealed_text::replace(disk, path, body, mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::{Position, SegmentId};

    fn fork(number: u8) -> LostFork {
        let at = Position::new(SegmentId::new(12, 3), 184_320);
        LostFork {
            id: InstanceId::from_bytes([number; 16]),
            instance: "south of the river".into(),
            was_root: number == 1,
            fork: LogPoint::new(at, ChainHash::from_bytes([7; 32])),
            commit: CommitNumber::new(70_412),
            transactions: 37,
            generations: (0..number)
                .map(|byte| GenerationId::new(ChainHash::from_bytes([byte; 32])))
                .collect(),
        }
    }

    #[test]
    fn a_fork_is_a_line_and_reads_back() {
        for number in [0, 1, 2, 64] {
            let text = fork(number).to_string();
            assert_eq!(text.parse(), Ok(fork(number)), "{text}");
            for wrong in [
                &text[..text.len() / 2],
                &text.replace("ary ", "ily "),
                &text.replace("12-3", "twelve"),
                "",
            ] {
                assert!(wrong.parse::<LostFork>().is_err(), "{wrong}");
            }
        }
        assert!(fork(65).to_string().parse::<LostFork>().is_err());
    }

    #[test]
    fn one_fork_of_an_instance_is_told_once_and_there_is_a_limit() {
        let told = LostForks::of([fork(1), fork(2), fork(1)]);
        assert_eq!(told.all(), [fork(1), fork(2)]);
        let many = (0..400_u16).map(|number| LostFork {
            fork: LogPoint::new(Position::ORIGIN, {
                let mut hash = [0; 32];
                hash[..2].copy_from_slice(&number.to_le_bytes());
                ChainHash::from_bytes(hash)
            }),
            ..fork(1)
        });
        assert_eq!(LostForks::of(many).all().len(), MAX_LOST_FORKS);
    }

    #[test]
    fn files_are_read_back_and_no_byte_of_them_may_be_another() {
        let simulated = disk::testing::SimulatedDisk::new(1);
        let disk = simulated.process().disk();
        let (lost, settled) = (Path::new("/slave-south.lost"), Path::new("/fw.settled"));
        assert_eq!(LostForks::read(&disk, lost).unwrap(), None);
        assert_eq!(SettledForks::read(&disk, settled).unwrap(), None);
        let told = LostForks::of([fork(1), fork(3)]);
        let done = SettledForks::of([fork(1).id(), fork(2).id()]);
        told.write(&disk, lost, 0o640).unwrap();
        done.write(&disk, settled, 0o640).unwrap();
        assert_eq!(LostForks::read(&disk, lost).unwrap(), Some(told));
        assert_eq!(SettledForks::read(&disk, settled).unwrap(), Some(done));
        for path in [lost, settled] {
            let good = disk.read(path).unwrap();
            for at in 0..good.len() {
                let mut bad = good.clone();
                bad[at] ^= 1;
                disk.write_atomic(path, &bad, 0o600).unwrap();
                assert!(LostForks::read(&disk, path).is_err(), "{at}");
                assert!(SettledForks::read(&disk, path).is_err(), "{at}");
            }
        }
    }

    #[test]
    fn a_file_is_known_by_its_name() {
        assert!(LostForks::is_file_name(&LostForks::file_name("south")));
        assert!(!LostForks::is_file_name("slave-south.below"));
    }
}
