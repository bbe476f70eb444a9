//! How far a server has come.

use fwlog::{Block, CommitNumber, Durable, LogPoint, Timestamp};

use crate::ProtocolError;
use crate::wire::{FieldReader, FieldWriter};

/// A block border, the newest commit before it, and that commit's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where, and the chain hash that proves everything before it.
    pub point: LogPoint,
    /// Newest commit before the point.
    pub commit: CommitNumber,
    /// When that commit was made.
    pub time: Timestamp,
}

impl Progress {
    pub(crate) fn write(&self, out: &mut FieldWriter<'_>) {
        out.point(&self.point);
        out.commit(self.commit);
        out.time(self.time);
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(Self {
            point: from.point()?,
            commit: from.commit()?,
            time: from.time()?,
        })
    }
}

/// The end of a block.
impl From<&Block> for Progress {
    fn from(block: &Block) -> Self {
        Self {
            point: block.end,
            commit: block.head.last_commit,
            time: block.head.time,
        }
    }
}

impl From<&Durable> for Progress {
    fn from(durable: &Durable) -> Self {
        Self {
            point: durable.point,
            commit: durable.commit,
            time: durable.time,
        }
    }
}

/// What the slave has. `durable ≤ received`; `applied` may be ahead of `durable`, which follows within
/// some milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Taken from the connection and checked.
    pub received: Progress,
    /// In the slave's log, on disk.
    pub durable: Progress,
    /// Visible to the slave's readers. Equals `received` when nothing is left to apply, also where
    /// only a segment header or a seal came last.
    pub applied: Progress,
    /// Why applying waits, when it does: names the database and who holds it.
    pub suspended: Option<String>,
}

impl Status {
    pub(crate) fn write(&self, out: &mut FieldWriter<'_>) {
        self.received.write(out);
        self.durable.write(out);
        self.applied.write(out);
        out.optional(self.suspended.as_ref(), |out, why| out.text(why));
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(Self {
            received: Progress::read(from)?,
            durable: Progress::read(from)?,
            applied: Progress::read(from)?,
            suspended: from.optional(FieldReader::text)?,
        })
    }
}
