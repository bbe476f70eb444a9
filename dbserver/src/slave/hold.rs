//! An operator holds applying: what comes is mirrored, and applied from the log when that is over.

use dbproto::Progress;
use pgtypes::SqlState;

use crate::slave::SlaveLog;

/// What a slave that is held waits for.
pub(crate) const HELD: SqlState = SqlState::OPERATOR_INTERVENTION;

impl SlaveLog {
    /// Nothing more is shown from now on, for this reason.
    pub(crate) fn hold(&self, why: &str) {
        self.update(|progress| {
            // What has ended for good is worth more words.
            if !progress.has_ended_applying() {
                progress.suspended = Some(why.to_owned());
                progress.held_back = None;
                progress.waits_for = Some(HELD);
            }
        });
    }

    /// At a start: what the log has behind `applied` is applied from there, once nobody holds it any more.
    pub(crate) fn lacks_from(&self, applied: Progress) {
        let mut end = None;
        self.update(|progress| {
            end = progress.durable;
            (progress.applied, progress.taken) = (Some(applied), Some(applied));
        });
        if let Some(end) = end {
            self.queue().is_left_to_the_log(end);
        }
    }

    /// It goes on.
    pub(crate) fn go_on(&self) {
        self.update(|progress| {
            if progress.waits_for == Some(HELD) {
                progress.suspended = None;
                progress.waits_for = None;
            }
        });
    }

    /// Whether an operator holds it.
    pub(crate) fn is_held(&self) -> bool {
        self.progress_is(|progress| progress.waits_for == Some(HELD))
    }

    /// Waits as long as it is held. False: the server stops.
    pub(crate) fn wait_while_held(&self) -> bool {
        if !self.is_held() {
            return true;
        }
        // What has no room in the queue is left to the log.
        self.queue().waits_for_reader(true);
        let mut goes_on = true;
        while goes_on && self.is_held() {
            goes_on = self.wait_a_moment();
        }
        self.queue().waits_for_reader(false);
        goes_on
    }
}
