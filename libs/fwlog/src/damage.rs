//! What can be wrong with bytes that were read, and with reading them.

use std::io;
use std::path::{Path, PathBuf};

use crate::identity::EnvironmentId;
use crate::log_kind::LogKind;
use crate::numbers::PageNumber;
use crate::position::SegmentId;

/// What is wrong with the records of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A field goes beyond the end of what holds it.
    #[error("a {0} is cut short or longer than it may be")]
    Truncated(&'static str),
    /// A field has a value that it can't have.
    #[error("a {0} has an impossible value")]
    Invalid(&'static str),
    /// The kind of a record is not known.
    #[error("unknown record kind {0}")]
    UnknownKind(u8),
    /// The payload does not decompress to the length that the head of the block gives.
    #[error("the payload does not decompress to the length in the head")]
    Compression,
    /// A page made from the log is not the page that was logged.
    #[error("page {page} comes out with checksum {found:08x}, the log says {expected:08x}")]
    PageChecksum {
        /// The page.
        page: PageNumber,
        /// CRC-32C in the log.
        expected: u32,
        /// CRC-32C of what was made.
        found: u32,
    },
}

/// What is wrong with a segment, at the offset where it is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file does not begin with the magic of a segment, or is shorter than a header.
    #[error("not a forward-log segment")]
    NotASegment,
    /// A newer server wrote this; nothing is wrong with it.
    #[error("format version {0} is not known here; use the newer program")]
    UnknownVersion(u32),
    /// The checksum of the named structure does not match.
    #[error("the checksum of the {0} does not match")]
    Checksum(&'static str),
    /// A field of the named structure has a value that it can't have.
    #[error("impossible {0}")]
    Impossible(&'static str),
    /// Bytes that are neither a block nor a seal nor unused space.
    #[error("neither a block nor a seal")]
    Unrecognized,
    /// A block, seal or header goes beyond the end of the file, or of what is durable.
    #[error("a {0} is cut short")]
    CutShort(&'static str),
    /// The payload or the history before it is not what the chain hash was computed from.
    #[error("the chain hash does not match")]
    Chain,
    /// Commit numbers do not go on where they should.
    #[error("commit numbers do not go on without a gap")]
    CommitOrder,
    /// The seal does not fit the segment that it ends.
    #[error("the seal does not fit the segment")]
    SealMismatch,
    /// There is something after a seal, or after unused space.
    #[error("data where the segment should have ended")]
    TrailingData,
    /// A segment that another one follows has no seal.
    #[error("the segment has a successor but no seal: it is an old copy, or its end is missing")]
    NotSealed,
    /// The log ends before the end that was made durable.
    #[error(
        "the log ends here, but was durable up to {0}: it is an old copy, or its end is missing"
    )]
    EndsEarly(crate::Position),
    /// The block is whole, but the writer that wrote it has failed before it was durable.
    #[error("never acknowledged")]
    NotAcknowledged,
    /// The segment belongs to another environment: nothing is wrong with it, but it has no place here.
    #[error("the segment belongs to another environment, {0}")]
    OtherEnvironment(EnvironmentId),
    /// The segment has another number than its file name says.
    #[error("the file holds segment {0}, which its name does not say")]
    OtherSegment(SegmentId),
    /// The segment is of a log that is for something else.
    #[error("the segment is of {0}")]
    OtherKind(LogKind),
    /// The segment is there twice.
    #[error("the file holds the same segment as {}", .0.display())]
    Twice(PathBuf),
    /// The segment does not go on where the one before it ends: others are missing between them.
    #[error("does not go on from {after}: segment {missing} is missing")]
    Missing {
        /// The newest segment before.
        after: SegmentId,
        /// The first one that is not there.
        missing: SegmentId,
    },
    /// A generation does not go on where the one before it ends. Its header alone does not say why.
    #[error(
        "does not go on from {after}: segment {missing} is missing, or forward logging was off in between"
    )]
    MissingOrOff {
        /// The newest segment before.
        after: SegmentId,
        /// The first one that is not there.
        missing: SegmentId,
    },
    /// A generation that began when forward logging was switched on again: what was committed before, since it
    /// was switched off, is in no log that is kept.
    #[error(
        "forward logging was off before it: what was committed after {after} and before it is in no segment"
    )]
    WasOff {
        /// The newest segment before.
        after: SegmentId,
    },
    /// Each of two segments is good, and they are not of one log: one is from another history.
    #[error(
        "the segment does not go on from {0}: one of the two is of another history of this log"
    )]
    OtherHistory(SegmentId),
    /// The records of a block can't be read.
    #[error(transparent)]
    Records(#[from] DecodeError),
}

impl Damage {
    /// The bytes are good, but the file is in the wrong place.
    pub fn is_misplaced(&self) -> bool {
        matches!(
            self,
            Self::OtherEnvironment(_) | Self::OtherSegment(_) | Self::OtherKind(_) | Self::Twice(_)
        )
    }

    /// Nothing is wrong with the file: others that belong before it are not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::MissingOrOff { .. })
    }

    /// The bytes that are there are good, and others belong behind them or before them: an old copy, not a
    /// disk that has changed what it was given.
    pub fn is_incomplete(&self) -> bool {
        matches!(
            self,
            Self::EndsEarly(_) | Self::NotSealed | Self::OtherHistory(_)
        )
    }

    /// What is said of the file before the reason: only what a disk has changed is called damaged.
    fn verdict(&self, offset: u64) -> String {
        match self {
            Self::UnknownVersion(_) => "can't be read here: ".to_owned(),
            Self::WasOff { .. } => "is whole; ".to_owned(),
            kind if kind.is_missing() => String::new(),
            kind if kind.is_misplaced() => "is out of place: ".to_owned(),
            kind if kind.is_incomplete() => format!("at offset {offset}: "),
            _ => format!("is damaged at offset {offset}: "),
        }
    }
}

/// An operation on a file that failed, in a form that can be kept and given to many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("can't {operation} {}: {message}", path.display())]
pub struct IoFailure {
    /// What was tried, as a verb: "write", "sync" …
    pub operation: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The kind of error.
    pub kind: io::ErrorKind,
    /// The operating system's text.
    pub message: String,
}

impl IoFailure {
    /// Keeps what matters of `error`.
    pub fn new(operation: &'static str, path: &Path, error: &io::Error) -> Self {
        Self {
            operation,
            path: path.to_owned(),
            kind: error.kind(),
            message: disk::reason(error),
        }
    }

    /// Whether there will be success once somebody makes room.
    pub fn is_disk_full(&self) -> bool {
        disk::is_full(self.kind)
    }

    /// Whether there may be success once somebody has mended what is named: made room, brought a
    /// directory back, given a permission. Not after a failed sync: then nobody knows what the disk
    /// has.
    pub fn may_pass(&self) -> bool {
        let mendable = matches!(
            self.kind,
            io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::AlreadyExists
        );
        self.is_disk_full() || (mendable && self.operation != "sync")
    }
}

/// Turns an [`io::Result`] into one that says what was tried on which file.
pub(crate) trait During<T> {
    fn during(self, operation: &'static str, path: &Path) -> Result<T, IoFailure>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, operation: &'static str, path: &Path) -> Result<T, IoFailure> {
        self.map_err(|error| IoFailure::new(operation, path, &error))
    }
}

/// Why reading a segment failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The log is not as it should be at this place.
    #[error("{} {}{kind}", path.display(), kind.verdict(*offset))]
    Corrupt {
        /// The segment's file.
        path: PathBuf,
        /// Bytes from its start.
        offset: u64,
        /// What is wrong there.
        kind: Damage,
    },
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] IoFailure),
}

impl ReadError {
    pub(crate) fn corrupt(path: &Path, offset: u64, kind: Damage) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            offset,
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Position;

    fn told(kind: Damage) -> String {
        ReadError::corrupt(Path::new("/fw/fw-1-2"), 128, kind).to_string()
    }

    #[test]
    fn only_what_a_disk_has_changed_is_called_damaged() {
        let segment = SegmentId::new(1, 1);
        let damaged = "/fw/fw-1-2 is damaged at offset 128: the chain hash does not match";
        assert_eq!(told(Damage::Chain), damaged);
        for kind in [
            Damage::EndsEarly(Position::new(segment, 7)),
            Damage::NotSealed,
        ] {
            let told = told(kind);
            assert!(
                told.starts_with("/fw/fw-1-2 at offset 128: ")
                    && told.ends_with(": it is an old copy, or its end is missing"),
                "{told}"
            );
        }
        for kind in [
            Damage::OtherHistory(segment),
            Damage::UnknownVersion(9),
            Damage::OtherSegment(segment),
            Damage::Missing {
                after: segment,
                missing: segment,
            },
        ] {
            let told = told(kind.clone());
            assert!(!told.contains("damaged"), "{told}");
            assert_eq!(
                told.contains("out of place"),
                matches!(kind, Damage::OtherSegment(_)),
                "{told}"
            );
        }
    }
}
