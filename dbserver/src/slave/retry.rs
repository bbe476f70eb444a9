//! A slave whose disk is full or fails serves what it has, and goes on by itself.

use std::fmt;

use crate::apply::disk_retry::DiskRetry;
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
