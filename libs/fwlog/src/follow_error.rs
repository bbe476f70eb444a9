//! Why a log can't be followed.

use std::path::PathBuf;

use crate::damage::{IoFailure, ReadError};
use crate::position::{Position, SegmentId};

/// Why a slave's position is not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSyncPoint {
    /// The log does not go back so far.
    #[error("the log begins later, at {first}")]
    LogBeginsLater {
        /// Where it begins.
        first: Position,
    },
    /// The log has another history at this place.
    #[error("the histories differ before {at}")]
    Diverged {
        /// Where the difference was seen.
        at: Position,
    },
    /// The position is behind the end of what is durable here.
    #[error("the position is ahead of this log, which ends at {durable}")]
    AheadOfMaster {
        /// The durable end.
        durable: Position,
    },
    /// The log knows nothing of this generation.
    #[error("generation {0} is not known here")]
    UnknownGeneration(crate::Generation),
    /// The segment is not there, though segments before and behind it are.
    #[error("segment {0} is missing")]
    Missing(SegmentId),
}

/// Why following failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The slave has to be synchronized anew.
    #[error("no synchronization point: {why}")]
    NoSynchronizationPoint {
        /// Why.
        why: NoSyncPoint,
    },
    /// There is no `fw.position`, so nothing is known to be durable.
    #[error("the durable end of the log is not known")]
    NoDurableEnd,
    /// A segment behind this one exists, but none that goes on from it.
    #[error("the log has a gap behind segment {0}")]
    Gap(SegmentId),
    /// Another log has taken the place of the one that was read.
    #[error("the log in {0} is another one than before")]
    Replaced(PathBuf),
    /// The log is damaged, or can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<IoFailure> for FollowError {
    fn from(failure: IoFailure) -> Self {
        Self::Read(failure.into())
    }
}

impl From<NoSyncPoint> for FollowError {
    fn from(why: NoSyncPoint) -> Self {
        Self::NoSynchronizationPoint { why }
    }
}
