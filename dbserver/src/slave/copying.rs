//! A copy that a slave takes.

use std::fmt;

use dbproto::base::{Stage, StageStatus};
use fwlog::{PAGE_SIZE, Timestamp};

use crate::process::bytes;

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
    /// When it was so far.
    pub seen: Timestamp,
}

impl Copying {
    /// Pages that are done, in percent of all.
    pub fn percent(&self) -> u64 {
        let done = self.status.done().saturating_mul(100);
        done.checked_div(self.status.of).unwrap_or(0).min(100)
    }

    /// Bytes a second that have come so far.
    fn rate(&self) -> u64 {
        let micros = self.seen.micros().saturating_sub(self.since.micros());
        let bytes = self.status.taken.saturating_mul(PAGE_SIZE as u64);
        let a_second = u128::from(bytes) * 1_000_000;
        let rate = a_second.checked_div(u128::from(micros)).unwrap_or(0);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// `first copy from north: 4.1 GiB of 9.6 GiB (43 %), 52.0 MiB/s, 1:44 to go`
impl fmt::Display for Copying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_first {
            "first copy"
        } else {
            "re-synchronizing"
        };
        let size = |pages: u64| bytes(pages.saturating_mul(PAGE_SIZE as u64));
        let (done, of) = (self.status.done(), self.status.of);
        let (from, percent) = (&self.from, self.percent());
        write!(
            f,
            "{what} from {from}: {} of {} ({percent} %)",
            size(done),
            size(of)
        )?;
        match (self.status.stage, self.rate()) {
            (Stage::Pages, 0) => Ok(()),
            (Stage::Pages, rate) => {
                let left = of.saturating_sub(done).saturating_mul(PAGE_SIZE as u64);
                let seconds = left.div_ceil(rate);
                let (minutes, seconds) = (seconds / 60, seconds % 60);
                write!(f, ", {}/s, {minutes}:{seconds:02} to go", bytes(rate))
            }
            (Stage::Log, _) => f.write_str(", its log comes"),
            (Stage::Proof, _) => f.write_str(", what has come is proved"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_is_one_line() {
        let mut copying = Copying {
            from: "north".to_owned(),
            is_first: true,
            since: Timestamp::from_micros(0),
            status: StageStatus {
                stage: Stage::Pages,
                equal: 256,
                taken: 256,
                of: 1024,
            },
            seen: Timestamp::from_micros(2_000_000),
        };
        assert_eq!(
            copying.to_string(),
            "first copy from north: 2.0 MiB of 4.0 MiB (50 %), 512.0 KiB/s, 0:04 to go"
        );
        copying.is_first = false;
        copying.status.stage = Stage::Proof;
        assert_eq!(
            copying.to_string(),
            "re-synchronizing from north: 2.0 MiB of 4.0 MiB (50 %), what has come is proved"
        );
    }
}
