//! Before a root writes its data files up to a commit, the slaves that follow it get that commit: then a root that is left
//! behind goes back by cutting its log alone. Nobody waits for that but the thread of the checkpoint, and not for long.

use std::thread;
use std::time::{Duration, Instant};

use dbproto::{SILENT, SlaveReport, Standing};
use fwlog::{CommitNumber, Timestamp};

use crate::databases::Role;
use crate::databases::control::LogPlace;
use crate::databases::host::Drive;
use crate::environment::core::Core;
use crate::environment::slave_notes::reports;

/// How often the notes of dbrepl are looked at, which are written once a second.
const LOOK: Duration = Duration::from_millis(50);

impl Core {
    /// Waits until each slave that follows has this commit on its disk, for `RewindWait` at most.
    pub(in crate::environment) fn wait_for_slaves(&self, commit: CommitNumber) {
        let config = &self.config().replication;
        let is_root = self.control().role == Role::Master
            && self.log_place() == LogPlace::ForwardLog
            && self.host().drive == Drive::Threads;
        if !is_root || config.rewind_wait.is_zero() {
            return;
        }
        let deadline = Instant::now() + config.rewind_wait;
        while let Some(slave) = self.slave_without(commit) {
            if Instant::now() >= deadline {
                tracing::debug!(
                    slave,
                    commit = commit.get(),
                    "the data files take what that slave may not have yet"
                );
                return;
            }
            thread::park_timeout(LOOK);
        }
    }

    /// A slave that follows and has not told that it has this commit.
    fn slave_without(&self, commit: CommitNumber) -> Option<String> {
        let location = self.log_location().ok()?;
        // Who can't be asked is not waited for.
        let known = reports(&location).ok()?.into_iter();
        let now = self.host().clock.now();
        let mut lacking = known.filter(|(_, report)| lacks(report, commit, now));
        lacking.next().map(|(_, report)| report.instance)
    }
}

fn lacks(report: &SlaveReport, commit: CommitNumber, now: Timestamp) -> bool {
    let silent = u64::try_from(SILENT.as_micros()).unwrap_or(u64::MAX);
    let lives = now.micros().abs_diff(report.written.micros()) <= silent;
    let has = report
        .durable
        .is_some_and(|durable| durable.commit >= commit);
    // One that is catching up would be waited for in vain.
    report.standing == Standing::Following && report.delay.is_zero() && lives && !has
}
