//! A slave whose disk is full or fails serves what it has, and goes on by itself.

use std::fmt;

use pgtypes::SqlState;

use crate::apply::disk_retry::DiskRetry;
use crate::apply::readers::{HeldBack, ReaderWatch};
use crate::error::EngineError;
use crate::slave::SlaveLog;

impl fmt::Debug for SlaveLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlaveLog")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

impl DiskRetry for SlaveLog {
    fn wait(&self, why: &EngineError) -> bool {
        if self.progress().waits_for.is_none() {
            tracing::error!(error = %why, "applying is suspended until that is mended");
        }
        self.update(|progress| {
            progress.suspended = Some(why.to_string());
            progress.held_back = None;
            progress.waits_for = Some(why.sqlstate());
        });
        self.waits.wait()
    }

    fn recovered(&self) {
        tracing::info!("that is mended: applying goes on");
        self.update(|progress| {
            progress.suspended = None;
            progress.waits_for = None;
        });
    }
}

impl ReaderWatch for SlaveLog {
    fn tell(&self, held: Option<&HeldBack>) {
        let known = self.progress();
        let is_told = known.waits_for == Some(SqlState::OBJECT_IN_USE);
        let Some(held) = held else {
            if is_told {
                tracing::info!("readers hold nothing back any more: all is applied");
                self.update(|progress| {
                    progress.suspended = None;
                    progress.waits_for = None;
                    progress.held_back = None;
                });
            }
            return;
        };
        let why = held.to_string();
        if is_told && known.suspended.as_ref() == Some(&why) {
            return;
        }
        tracing::warn!(%held, "a reader suspends applying");
        self.update(|progress| {
            progress.suspended = Some(why);
            progress.held_back = Some(held.clone());
            progress.waits_for = Some(SqlState::OBJECT_IN_USE);
        });
    }

    fn wait(&self) -> bool {
        self.queue().waits_for_reader(true);
        let goes_on = self.wait_a_moment();
        self.queue().waits_for_reader(false);
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slave::SlaveProgress;

    /// A copy may begin where applying has ended, and not where it goes on by itself in the middle of one.
    #[test]
    fn a_slave_that_waits_for_a_disk_or_a_reader_goes_on_and_one_that_has_failed_does_not() {
        let mut progress = SlaveProgress::default();
        assert!(!progress.has_ended_applying());
        for waits_for in [SqlState::OBJECT_IN_USE, SqlState::DISK_FULL] {
            progress.suspended = Some("it waits".to_owned());
            progress.waits_for = Some(waits_for);
            assert!(!progress.has_ended_applying(), "{waits_for:?}");
        }
        // What it waited for last is not what it ends by.
        progress.end_applying("a page is damaged".to_owned());
        assert!(progress.has_ended_applying());
        let why = progress.why_suspended().unwrap();
        assert!(why.contains("restart the slave"), "{why}");
    }
}
