//! The newest part of the log in memory, for the slaves that have not taken it yet.

use std::collections::{BTreeMap, VecDeque};

use super::piece::{Mark, Piece, Read};

/// What is kept for slaves that take it later, at most; and what one piece counts at least.
const MAX_BYTES: usize = 8 << 20;
const PIECE_COSTS: usize = 1 << 10;

/// Pieces that one reader has read and that several slaves take, each at its own pace. A piece goes when all have
/// taken it. No slave makes the others wait, nor the memory grow: one that is too far behind has lost its place.
#[derive(Debug)]
pub(super) struct Ring {
    pieces: VecDeque<Read>,
    /// Number of the first piece.
    first: u64,
    bytes: usize,
    /// Where the first piece begins.
    begins: Mark,
    /// Who takes pieces, and the number of the next one.
    members: BTreeMap<u64, u64>,
    admitted: u64,
}

/// What a slave finds.
#[derive(Debug)]
pub(super) enum Taken {
    /// This is next.
    Piece(Read),
    /// Nothing more was read.
    Nothing,
    /// What is next was dropped.
    Lost,
}

impl Ring {
    /// Empty, for a reader that is there and a slave that has all up to there.
    pub(super) fn begin(at: Mark) -> (Self, u64) {
        let first_member = 1;
        let ring = Self {
            pieces: VecDeque::new(),
            first: 0,
            bytes: 0,
            begins: at,
            members: BTreeMap::from([(first_member, 0)]),
            admitted: first_member,
        };
        (ring, first_member)
    }

    /// Lets a slave in that was given all up to there; `None` where what it needs next was dropped.
    pub(super) fn admit(&mut self, given: Mark) -> Option<u64> {
        if !given.has(self.begins) {
            return None;
        }
        self.admitted += 1;
        self.members.insert(self.admitted, self.first);
        Some(self.admitted)
    }

    /// It takes no more.
    pub(super) fn leave(&mut self, member: u64) {
        self.members.remove(&member);
        self.drop_taken();
    }

    /// The next piece for this slave.
    pub(super) fn take(&mut self, member: u64) -> Taken {
        let Some(next) = self.members.get_mut(&member) else {
            return Taken::Lost;
        };
        let Some(at) = next.checked_sub(self.first) else {
            return Taken::Lost;
        };
        let piece = usize::try_from(at).ok().and_then(|at| self.pieces.get(at));
        let Some(piece) = piece.cloned() else {
            return Taken::Nothing;
        };
        *next += 1;
        self.drop_taken();
        Taken::Piece(piece)
    }

    /// Whether there is something to find for this slave.
    pub(super) fn has_for(&self, member: u64) -> bool {
        let behind = self.first + self.pieces.len() as u64;
        self.members.get(&member).is_none_or(|next| *next < behind)
    }

    /// One more was read.
    pub(super) fn push(&mut self, piece: Read) {
        self.bytes += cost(&piece);
        self.pieces.push_back(piece);
        while self.bytes > MAX_BYTES && self.pieces.len() > 1 {
            self.drop_first();
        }
    }

    fn drop_taken(&mut self) {
        let needed = self.members.values().min().copied().unwrap_or(u64::MAX);
        while self.first < needed && !self.pieces.is_empty() {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let Some(piece) = self.pieces.pop_front() else {
            return;
        };
        self.first += 1;
        self.bytes -= cost(&piece);
        if let Ok(piece) = piece {
            self.begins = piece.end;
        }
    }
}

fn cost(piece: &Read) -> usize {
    piece.as_ref().map_or(0, Piece::length) + PIECE_COSTS
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use fwlog::{ChainHash, CommitNumber, FollowItem, LogPoint, Position, SegmentId, Timestamp};

    use super::*;

    fn mark(offset: u64) -> Mark {
        let point = LogPoint {
            position: Position::new(SegmentId::FIRST, offset),
            hash: ChainHash::from_bytes([0; 32]),
        };
        let sealed = false;
        Mark { point, sealed }
    }

    /// Blocks that end there.
    fn blocks(end: u64, length: usize) -> Piece {
        let end = mark(end);
        let item = FollowItem::Blocks {
            bytes: Bytes::from(vec![0; length]),
            last: end.point,
            last_commit: CommitNumber::new(1),
            time: Timestamp::ZERO,
            log_bytes: 0,
        };
        let switched_off = false;
        Piece {
            item,
            end,
            switched_off,
        }
    }

    fn end_of(taken: Taken) -> u64 {
        match taken {
            Taken::Piece(Ok(piece)) => piece.end.point.position.offset,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_member_gets_every_piece_once_and_what_all_have_goes() {
        let (mut ring, one) = Ring::begin(mark(100));
        let other = ring.admit(mark(100)).unwrap();
        assert!(matches!(ring.take(one), Taken::Nothing) && !ring.has_for(one));
        ring.push(Ok(blocks(110, 10)));
        ring.push(Ok(blocks(120, 10)));
        for (end, left) in [(110, 2), (120, 2)] {
            assert_eq!(end_of(ring.take(one)), end);
            assert_eq!(ring.pieces.len(), left, "the other one has not had it");
        }
        assert!(ring.has_for(other) && !ring.has_for(one));
        assert_eq!(end_of(ring.take(other)), 110);
        assert_eq!(ring.pieces.len(), 1);
        ring.leave(other);
        assert_eq!((ring.pieces.len(), ring.bytes), (0, 0));
    }

    #[test]
    fn who_comes_later_is_let_in_where_its_next_bytes_are() {
        let (mut ring, slow) = Ring::begin(mark(100));
        ring.push(Ok(blocks(110, 10)));
        ring.push(Ok(blocks(120, 10)));
        assert!(ring.admit(mark(99)).is_none());
        let late = ring.admit(mark(115)).unwrap();
        let Taken::Piece(Ok(known)) = ring.take(late) else {
            panic!("a piece")
        };
        assert!(known.behind(mark(115)).is_none());
        let Taken::Piece(Ok(half)) = ring.take(late) else {
            panic!("a piece")
        };
        assert_eq!(half.behind(mark(115)).unwrap().length(), 5);
        assert_eq!(end_of(ring.take(slow)), 110);
        assert!(ring.admit(mark(105)).is_none(), "its bytes are gone");
        assert!(ring.admit(mark(110)).is_some());
    }

    #[test]
    fn a_slave_that_takes_nothing_costs_a_bounded_memory_and_nobody_else_a_piece() {
        let (mut ring, stopped) = Ring::begin(mark(0));
        let quick = ring.admit(mark(0)).unwrap();
        let length = 100_000;
        for number in 1..=1000 {
            let end = number * length;
            ring.push(Ok(blocks(end, usize::try_from(length).unwrap())));
            assert_eq!(end_of(ring.take(quick)), end);
            assert!(ring.bytes <= MAX_BYTES, "{}", ring.bytes);
        }
        assert!(matches!(ring.take(stopped), Taken::Lost));
    }

    #[test]
    fn small_pieces_are_bounded_too() {
        let (mut ring, stopped) = Ring::begin(mark(0));
        for end in 1..100_000 {
            ring.push(Ok(blocks(end, 1)));
        }
        assert!(ring.pieces.len() * PIECE_COSTS <= MAX_BYTES);
        assert!(matches!(ring.take(stopped), Taken::Lost));
    }
}
