//! The newest point that two logs have in common, by their histories.
//!
//! Positions of one generation are comparable: up to where one of the two leaves it, both have the same bytes of it. So
//! the newest generation that both have, and the nearer of the two places where they leave it, is the point; the chain
//! hash there proves it. Only twins, which wrote the same generation each for itself, have another hash there.

use crate::chain::ChainHash;
use crate::history::{GenerationId, HistoryLine};
use crate::numbers::CommitNumber;
use crate::position::{LogPoint, Position};

/// Where a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchEnd {
    /// The place, and the hash of all before it.
    pub point: LogPoint,
    /// The newest commit before it.
    pub commit: CommitNumber,
}

/// The point that two logs have in common, if the chain hash there is the same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The newest generation that is in both.
    pub generation: GenerationId,
    /// Where one of the two leaves it.
    pub position: Position,
    /// The newest commit before that.
    pub commit: CommitNumber,
    /// The hash there in the first log, where its history tells.
    pub ours: Option<ChainHash>,
    /// The same in the second one.
    pub theirs: Option<ChainHash>,
}

/// Compares two histories: the generations of each, the oldest first, and where each log is durable. `None`: no
/// generation is known to be in both, or where one of them leaves it is not known.
pub fn newest_common(
    ours: (&[HistoryLine], BranchEnd),
    theirs: (&[HistoryLine], BranchEnd),
) -> Option<Candidate> {
    let is_theirs = |line: &&HistoryLine| theirs.0.iter().any(|other| other.id == line.id);
    let generation = ours.0.iter().rev().find(is_theirs)?.id;
    let (our_end, their_end) = (left_at(ours, generation)?, left_at(theirs, generation)?);
    let (position, commit) = if our_end.point.position <= their_end.point.position {
        (our_end.point.position, our_end.commit)
    } else {
        (their_end.point.position, their_end.commit)
    };
    let hash_of = |end: BranchEnd| (end.point.position == position).then_some(end.point.hash);
    Some(Candidate {
        generation,
        position,
        commit,
        ours: hash_of(our_end),
        theirs: hash_of(their_end),
    })
}

/// Where a log leaves a generation: for the next one, or with its end. `None`: the line of the next one is missing.
pub fn left_at(
    (lines, end): (&[HistoryLine], BranchEnd),
    generation: GenerationId,
) -> Option<BranchEnd> {
    let at = lines.iter().position(|line| line.id == generation)?;
    let number = lines.get(at)?.number;
    let left = match lines.get(at + 1) {
        Some(next) => BranchEnd {
            point: next.parent,
            commit: next.commit,
        },
        None => end,
    };
    (left.point.position.segment.generation == number).then_some(left)
}
