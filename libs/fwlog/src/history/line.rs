//! One generation: its id, and how it began.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::chain::ChainHash;
use crate::identity::ParseHexError;
use crate::layout::header;
use crate::numbers::{CommitNumber, Generation, Sequence};
use crate::position::{LogPoint, Position};
use crate::record::{GenerationReason, GenerationStart};
use crate::timestamp::Timestamp;

/// What a generation is known by: the chain hash behind its first block. Numbers are given again where two instances go
/// on from one point; this is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationId(ChainHash);

impl GenerationId {
    /// The generation with this chain hash behind its first block.
    pub const fn new(hash: ChainHash) -> Self {
        Self(hash)
    }

    /// The chain hash.
    pub const fn hash(self) -> ChainHash {
        self.0
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for GenerationId {
    type Err = ParseHexError;

    fn from_str(text: &str) -> Result<Self, ParseHexError> {
        text.parse().map(Self)
    }
}

/// A commit as instances may compare it: after a fork its number alone is given twice.
///
/// Two of them are ordered where they are of one generation, and else only a [`History`](crate::History) can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GenerationCommit {
    /// The generation that it was made in.
    pub generation: GenerationId,
    /// Its number.
    pub commit: CommitNumber,
}

impl PartialOrd for GenerationCommit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.generation == other.generation).then(|| self.commit.cmp(&other.commit))
    }
}

/// How a generation began. Its text is a line of the history file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryLine {
    /// Its number.
    pub number: Generation,
    /// What it is known by.
    pub id: GenerationId,
    /// Why it began.
    pub reason: GenerationReason,
    /// When.
    pub time: Timestamp,
    /// The point that it goes on from.
    pub parent: LogPoint,
    /// The newest commit up to there.
    pub commit: CommitNumber,
    /// The instance that began it: text of one line.
    pub instance: String,
}

impl HistoryLine {
    /// The generation that begins with this record, in a block that ends with this chain hash.
    pub fn new(
        number: Generation,
        start: &GenerationStart<'_>,
        id: GenerationId,
        commit: CommitNumber,
    ) -> Self {
        Self {
            number,
            id,
            reason: start.reason,
            time: start.time,
            parent: start.parent,
            commit,
            instance: one_line(start.origin),
        }
    }

    /// The generation of the point that it goes on from.
    pub fn parent_generation(&self) -> Generation {
        self.parent.position.segment.generation
    }

    /// Whether a log that ends at this border has the generation's first block, which is what begins it. A header alone
    /// begins nothing.
    pub fn is_begun_at(&self, end: Position) -> bool {
        let own = end.segment.generation == self.number;
        self.number < end.segment.generation || own && !is_before_first_block(end)
    }
}

/// Whether nothing but the header of the generation's first segment stands before this border.
fn is_before_first_block(at: Position) -> bool {
    at.segment.sequence == Sequence::FIRST && at.offset <= header::SIZE as u64
}

/// The generation that a border of the log of these is in, the oldest of them first. See [`History::generation_of`].
///
/// [`History::generation_of`]: crate::History::generation_of
pub fn generation_of(lines: &[HistoryLine], at: Position) -> Option<&HistoryLine> {
    let newest = lines.iter().rev().find(|line| line.is_begun_at(at))?;
    let is_of_before = is_before_first_block(at);
    (is_of_before || newest.number == at.segment.generation).then_some(newest)
}

/// What another instance has written goes into a file of lines.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

impl fmt::Display for HistoryLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, id, reason, time) = (self.number, self.id, self.reason, self.time.micros());
        let (parent, hash, commit) = (self.parent.position, self.parent.hash, self.commit);
        let instance = &self.instance;
        write!(
            f,
            "{number} {id} {reason} {time} {parent} {hash} {commit} {instance}"
        )
    }
}

impl FromStr for HistoryLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.splitn(8, ' ');
        let odd = || format!("odd generation '{text}'");
        let mut next = || words.next().ok_or_else(odd);
        let number = next()?.parse().map_err(|_| odd())?;
        let id = next()?.parse().map_err(|_| odd())?;
        let reason = next()?.parse().map_err(|_| odd())?;
        let time = Timestamp::from_micros(next()?.parse().map_err(|_| odd())?);
        let position = next()?.parse().map_err(|_| odd())?;
        let hash = next()?.parse().map_err(|_| odd())?;
        Ok(Self {
            number,
            id,
            reason,
            time,
            parent: LogPoint::new(position, hash),
            commit: next()?.parse().map_err(|_| odd())?,
            instance: next()?.to_owned(),
        })
    }
}
