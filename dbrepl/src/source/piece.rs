//! What a reader of the log gives, and where that ends.

use fwlog::{Follow, FollowItem, LogLocation, LogPoint};

use super::not_followed;
use crate::error::ShipError;

/// A place in the log: what a reader has given ends there. Where a segment is sealed, its seal is one step
/// further at the same point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) point: LogPoint,
    pub(super) sealed: bool,
}

impl Mark {
    /// Where this reader is.
    pub(super) fn of(follow: &Follow) -> Self {
        let (point, sealed) = follow.given();
        Self { point, sealed }
    }

    /// Whether all that ends at the other one was given here.
    pub(super) fn has(self, other: Self) -> bool {
        let order = |mark: Self| (mark.point.position, mark.sealed);
        order(self) >= order(other)
    }
}

/// One step of a reader.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) item: FollowItem,
    /// Where the reader is behind it.
    pub(super) end: Mark,
    /// Forward logging was switched off at the end of the log that the reader knows.
    pub(super) switched_off: bool,
}

impl Piece {
    /// Bytes of the log in it.
    pub(super) fn length(&self) -> usize {
        match &self.item {
            FollowItem::Segment { header_bytes, .. } => header_bytes.len(),
            FollowItem::Blocks { bytes, .. } | FollowItem::Seal { bytes } => bytes.len(),
            FollowItem::UpToDate(_) | FollowItem::Until(_) => 0,
        }
    }

    /// What of it is new to somebody who was given all up to there; `None`: nothing.
    pub(super) fn behind(mut self, given: Mark) -> Option<Self> {
        match &mut self.item {
            // The end of the log is news for those who are at it, each time it is looked at.
            FollowItem::UpToDate(_) | FollowItem::Until(_) => self.end.has(given).then_some(self),
            _ if given.has(self.end) => None,
            FollowItem::Blocks { bytes, .. } => {
                let (from, to) = (given.point.position, self.end.point.position);
                let start = to.offset.saturating_sub(bytes.len() as u64);
                if from.segment == to.segment && from.offset > start {
                    // It ends between two of these blocks: what is given is whole blocks.
                    let known = usize::try_from(from.offset - start).unwrap_or(usize::MAX);
                    *bytes = bytes.slice(known.min(bytes.len())..);
                }
                Some(self)
            }
            FollowItem::Segment { .. } | FollowItem::Seal { .. } => Some(self),
        }
    }
}

/// What comes next, or why nothing does.
pub(super) type Read = Result<Piece, ShipError>;

/// Takes one step. After an error no further one may be taken.
pub(super) fn read(follow: &mut Follow, location: &LogLocation) -> Read {
    let item = follow
        .next()
        .map_err(|error| not_followed(location, error))?;
    Ok(Piece {
        item,
        end: Mark::of(follow),
        switched_off: follow.switched_off(),
    })
}
