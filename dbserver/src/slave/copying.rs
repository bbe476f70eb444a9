//! A copy that a slave takes.

use std::fmt;

use dbproto::base::{Stage, StageStatus};
use fwlog::Timestamp;

/// How far a copy is, for those who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copying {
    /// Name of the instance that gives it.
    pub from: String,
    /// The slave had nothing before; else it is re-synchronized.
    pub is_first: bool,
    /// When it began.
    pub since: Timestamp,
    /// How far it is.
    pub status: StageStatus,
}

impl Copying {
    /// Pages that are done, in percent of all.
    pub fn percent(&self) -> u64 {
        let done = self.status.done().saturating_mul(100);
        done.checked_div(self.status.of).unwrap_or(0).min(100)
    }
}

impl fmt::Display for Copying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_first {
            "first copy"
        } else {
            "re-synchronizing"
        };
        write!(f, "{what} from {}, {} %", self.from, self.percent())?;
        match self.status.stage {
            Stage::Pages => Ok(()),
            Stage::Log => f.write_str(", the log comes"),
            Stage::Proof => f.write_str(", what has come is proved"),
        }
    }
}
