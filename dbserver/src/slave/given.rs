//! What the applier was given, which the disk may lose again.
//!
//! Commits are shown before the slave's disk has them. Where a sync fails, the log is cut behind its durable
//! end, and the source sends once more what is shown already. That is given once.

use std::sync::{Mutex, PoisonError};

use dbproto::{Progress, Refuse, state};
use fwlog::{Block, CommitNumber, LogPoint};

/// The end of what the applier was given since the server has started; `None`: nothing yet.
#[derive(Debug, Default)]
pub(super) struct Given(Mutex<Option<Progress>>);

impl Given {
    /// The end of it.
    pub(super) fn end(&self) -> Option<Progress> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to there, now.
    pub(super) fn note(&self, end: Progress) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    /// Those of the blocks that are new. Refused: they belong to another history than what is shown.
    pub(super) fn new_ones(&self, mut blocks: Vec<Block>) -> Result<Vec<Block>, Refuse> {
        let Some(given) = self.end() else {
            return Ok(blocks);
        };
        if let Some(known) = known_ones(&given, &blocks, Piece::of) {
            blocks.drain(..known);
            return Ok(blocks);
        }
        Err(Refuse::new(
            state::DAMAGED,
            "the slave shows commits that are not in the log which it is sent",
        )
        .detail(format!(
            "its disk has lost the log up to {}, commit {}",
            given.point.position, given.commit
        ))
        .hint("Restart the slave: from then on it shows what its log has."))
    }
}

/// Where a block ends, and which commit is its first.
#[derive(Clone, Copy)]
struct Piece {
    end: LogPoint,
    first: CommitNumber,
}

impl Piece {
    fn of(block: &Block) -> Self {
        Self {
            end: block.end,
            first: block.head.first_commit,
        }
    }
}

/// How many of the pieces, which follow one another, lie in what was given. `None`: they are not of its
/// history, or one of them lies across its end.
fn known_ones<T>(given: &Progress, pieces: &[T], of: impl Fn(&T) -> Piece) -> Option<usize> {
    let end = given.point;
    let known = pieces.partition_point(|piece| of(piece).end.position <= end.position);
    let last = pieces.get(..known).and_then(<[T]>::last).map(&of);
    let is_same = last.is_none_or(|last| last.end.position != end.position || last.end == end);
    let goes_on = pieces
        .get(known)
        .is_none_or(|new| of(new).first == given.commit.next());
    (is_same && goes_on).then_some(known)
}

#[cfg(test)]
mod tests {
    use fwlog::{ChainHash, Timestamp};

    use super::*;

    /// The block of one commit, a hundred bytes long.
    fn piece(place: &str, commit: u64, history: u8) -> Piece {
        Piece {
            end: LogPoint::new(place.parse().unwrap(), ChainHash::from_bytes([history; 32])),
            first: CommitNumber::new(commit),
        }
    }

    fn pieces(commits: std::ops::RangeInclusive<u64>, history: u8) -> Vec<Piece> {
        let place = |commit: u64| format!("1-1:{}", commit * 100);
        commits
            .map(|commit| piece(&place(commit), commit, history))
            .collect()
    }

    /// Commits up to the fifth, in history 7.
    fn given() -> Progress {
        Progress {
            point: piece("1-1:500", 5, 7).end,
            commit: CommitNumber::new(5),
            time: Timestamp::ZERO,
        }
    }

    fn known(pieces: &[Piece]) -> Option<usize> {
        known_ones(&given(), pieces, |piece| *piece)
    }

    #[test]
    fn what_the_disk_has_lost_and_comes_again_is_given_once() {
        assert_eq!(known(&pieces(3..=8, 7)), Some(3));
        assert_eq!(known(&pieces(3..=5, 7)), Some(3));
        assert_eq!(known(&pieces(3..=4, 7)), Some(2));
        assert_eq!(known(&pieces(6..=7, 7)), Some(0));
        assert_eq!(known(&[]), Some(0));
    }

    #[test]
    fn another_history_than_the_one_that_is_shown_is_refused() {
        assert_eq!(known(&pieces(3..=8, 9)), None);
        // A log that went on elsewhere, behind commit 3.
        assert_eq!(known(&[piece("2-1:340", 4, 9)]), None);
        // A piece across the end of what was given.
        assert_eq!(known(&[piece("1-1:600", 4, 7)]), None);
    }
}
