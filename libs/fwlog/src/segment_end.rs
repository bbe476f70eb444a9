//! The end of what was read of a segment, or written to it.

use crate::block::BlockHead;
use crate::durable_end::Durable;
use crate::header::SegmentHeader;
use crate::numbers::CommitNumber;
use crate::position::LogPoint;
use crate::seal::Seal;
use crate::timestamp::Timestamp;

/// The end of what was read of a segment, or written to it: of the header, or of the last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentEnd {
    pub(crate) point: LogPoint,
    /// Newest commit before it.
    pub(crate) last_commit: CommitNumber,
    /// Time of the last block before it; of the segment where there is none.
    pub(crate) time: Timestamp,
}

impl SegmentEnd {
    /// Behind the header.
    pub(crate) fn of_header(header: &SegmentHeader) -> Self {
        Self {
            point: header.start(),
            last_commit: header.last_commit,
            time: header.created,
        }
    }

    /// Behind the block with this head, which ends there.
    pub(crate) fn of_block(head: &BlockHead, point: LogPoint) -> Self {
        Self {
            point,
            last_commit: head.last_commit,
            time: head.time,
        }
    }

    /// The seal that the segment gets when it ends here.
    pub(crate) fn seal(&self, header: &SegmentHeader) -> Seal {
        Seal {
            length: self.point.position.offset,
            first_commit: header.last_commit.next(),
            last_commit: self.last_commit,
            chain: self.point.hash,
        }
    }

    /// The durable end, if everything up to here is durable.
    pub(crate) fn durable(&self, header: &SegmentHeader, sealed: bool) -> Durable {
        Durable {
            point: self.point,
            commit: self.last_commit,
            time: self.time,
            log_bytes: header.log_bytes.saturating_add(self.point.position.offset),
            sealed,
        }
    }
}
