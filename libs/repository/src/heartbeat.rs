//! Up to when nothing is missing from the archive of a history.

use fwlog::{ChainHash, LogPoint, Position, Timestamp};

use crate::error::ArchiveError;
use crate::name::ObjectName;
use crate::part::Border;
use crate::text::{Lines, begin};

/// At this time the log was durable up to this place, and all of that was archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The place.
    pub end: Border,
    /// Whether the segment is sealed there.
    pub sealed: bool,
    /// When, by the clock of the archiver's machine.
    pub at: Timestamp,
}

impl Heartbeat {
    /// The object.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = begin();
        body.line("position", self.end.point.position);
        body.line("chain", self.end.point.hash);
        body.line("commit", self.end.commit);
        body.line("time", self.end.time.micros());
        body.line("sealed", if self.sealed { "yes" } else { "no" });
        body.line("at", self.at.micros());
        body.seal().into_bytes()
    }

    /// Reads the object of this name.
    pub fn decode(name: &ObjectName, bytes: &[u8]) -> Result<Self, ArchiveError> {
        let lines = Lines::read(name, bytes)?;
        let position: Position = lines.get("position")?;
        let hash: ChainHash = lines.get("chain")?;
        Ok(Self {
            end: Border {
                point: LogPoint::new(position, hash),
                commit: lines.get("commit")?,
                time: Timestamp::from_micros(lines.get("time")?),
            },
            sealed: match lines.text("sealed")? {
                "yes" => true,
                "no" => false,
                other => {
                    let why = format!("it has an odd line 'sealed = {other}'");
                    return Err(ArchiveError::damaged(name, why));
                }
            },
            at: Timestamp::from_micros(lines.get("at")?),
        })
    }
}
