//! How a slave stands by the note that its dbrepl keeps, as whoever looks at it at this moment has to say.

use dbproto::state::{COPY, KEEP_WHAT_THE_SLAVE_HAS};
use dbproto::{SILENT, SlaveReport, Standing};
use fwlog::Timestamp;

use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::replication_status::micros;

/// One look at notes.
pub(super) struct Look {
    /// When it is.
    pub(super) now: Timestamp,
    /// Time of the newest block of the log here.
    newest: Option<Timestamp>,
    /// Forward logging is off.
    pub(super) off: bool,
}

impl Look {
    /// At this moment.
    pub(super) fn now(core: &Core, newest: Option<Timestamp>) -> Self {
        Self {
            now: core.host().clock.now(),
            newest,
            off: core.log_place() != LogPlace::ForwardLog,
        }
    }

    /// At this time, by a log that is written.
    #[cfg(test)]
    pub(super) fn at(now: Timestamp) -> Self {
        Self {
            now,
            newest: None,
            off: false,
        }
    }

    /// How it stands, since when, and why.
    pub(super) fn standing(&self, report: &SlaveReport) -> (Standing, Timestamp, Option<String>) {
        let silent =
            |since: Timestamp, why: &str| (Standing::NotConnected, since, Some(why.to_owned()));
        if self.off {
            let why = report.reason.clone();
            let why = why.filter(|_| report.standing == Standing::LogOff);
            let why = why.unwrap_or_else(|| {
                "this server keeps no forward log; 'dbctl forwardlog enable', and re-synchronize the slave"
                    .to_owned()
            });
            return (Standing::LogOff, report.written, Some(why));
        }
        if report.standing == Standing::LogOff {
            // It is on again: what was true then is no more, and the slave still lacks what was not logged.
            let why = format!(
                "forward logging was off for a while, and is on again: the log does not hold what the slave needs next; {COPY}"
            );
            return (Standing::LogMissing, report.since, Some(why));
        }
        let newer = self.newest.filter(|newest| *newest > report.since);
        if report.standing == Standing::Ahead && newer.is_some() {
            let why = format!(
                "diverged: the slave was ahead of this master, which was started since and has gone its own way; {KEEP_WHAT_THE_SLAVE_HAS}, or go on with the slave as the new master"
            );
            return (Standing::Diverged, report.since, Some(why));
        }
        if let Some((rival, since)) = &report.rival {
            let why = format!(
                "two slaves have this Instance, the one at {} and the one at {rival}; {}",
                report.address,
                Standing::NAME_EACH
            );
            return (Standing::NotUnique, *since, Some(why));
        }
        if !report.standing.is_connected() {
            return (report.standing, report.since, report.reason.clone());
        }
        if apart(self.now, report.written) > micros(SILENT) {
            return silent(
                report.written,
                "dbrepl gives no sign of life; start it, or look after it where it hangs",
            );
        }
        if apart(report.written, report.heard) > micros(SILENT) {
            return silent(
                report.heard,
                "the slave does not answer its dbrepl; look after the slave and the line to it",
            );
        }
        (report.standing, report.since, report.reason.clone())
    }
}

/// Microseconds between two times of one clock, which may have been set back.
pub(super) fn apart(a: Timestamp, b: Timestamp) -> u64 {
    a.micros().abs_diff(b.micros())
}
