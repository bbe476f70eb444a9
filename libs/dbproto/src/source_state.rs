//! What a source says of itself each second.

use fwlog::Timestamp;

use crate::wire::{FieldReader, FieldWriter};
use crate::{Brake, Progress, ProtocolError};

/// How a source is at this moment, so that its slave knows how far it lags, and behind whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The source's durable end.
    pub durable: Progress,
    /// Bytes of log up to there.
    pub log_bytes: u64,
    /// What the clock of its machine says.
    pub now: Timestamp,
    /// Commit time of the oldest transaction that the slave had not applied when it last said how far it
    /// is. `None`: it had applied all that was sent.
    pub oldest_outstanding: Option<Timestamp>,
    /// The slave has had everything, and has not fallen behind since.
    pub caught_up: bool,
    /// Since when the source's server has given no sign of life, if so.
    pub silent_since: Option<Timestamp>,
    /// It was stopped cleanly then, as its log says.
    pub stopped: bool,
    /// What it holds back on purpose, where the slave wants to know.
    pub brake: Brake,
    /// Commits wait for the slave's disk, where the slave knows of such a thing.
    pub prompt: bool,
}

impl From<Progress> for SourceState {
    /// A source that is known by its durable end alone, at the time of that.
    fn from(durable: Progress) -> Self {
        Self {
            durable,
            log_bytes: 0,
            now: durable.time,
            oldest_outstanding: None,
            caught_up: false,
            silent_since: None,
            stopped: false,
            brake: Brake::default(),
            prompt: false,
        }
    }
}

impl SourceState {
    pub(crate) fn write(&self, out: &mut FieldWriter<'_>) {
        self.durable.write(out);
        out.u64(self.log_bytes);
        out.time(self.now);
        out.optional(self.oldest_outstanding.as_ref(), |out, time| {
            out.time(*time);
        });
        out.flag(self.caught_up);
        out.optional(self.silent_since.as_ref(), |out, time| out.time(*time));
        out.flag(self.stopped);
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(Self {
            durable: Progress::read(from)?,
            log_bytes: from.u64()?,
            now: from.time()?,
            oldest_outstanding: from.optional(FieldReader::time)?,
            caught_up: from.flag()?,
            silent_since: from.optional(FieldReader::time)?,
            stopped: from.flag()?,
            brake: Brake::default(),
            prompt: false,
        })
    }
}
