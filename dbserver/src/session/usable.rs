//! Whether a session can go on: what ended it, or took its transaction, is told before its next statement.

use pgwire::messages::response::TransactionStatus;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::backend::lost_transaction;
use crate::session::refusals::aborted;
use crate::session::roles;

impl Session {
    /// Does what `set_config` has said in a statement that is done.
    pub(super) fn follow_set_config(&mut self) -> Result<(), Failure> {
        let explicit = self.transaction.is_explicit();
        for (name, value, local) in self.backend.take_said() {
            if name.eq_ignore_ascii_case("role") {
                roles::set(self, Some(&value), false, local)?;
                continue;
            }
            self.change_settings(|settings| settings.set(&name, Some(&value), local, explicit))?;
        }
        Ok(())
    }

    /// What `set_config` has said is undone with its statement.
    pub(super) fn forget_set_config(&mut self) {
        if !self.backend.take_said().is_empty() {
            self.show_settings();
        }
    }

    pub(super) fn check_usable(&mut self) -> Result<(), Failure> {
        self.follow_set_config()?;
        self.backend.check_terminated()?;
        if self.transaction.is_failed() {
            return Err(aborted());
        }
        self.check_epoch()?;
        let bounds = self.settings.frequent().bounds;
        self.backend.sqlite().keep_to(bounds)
    }

    /// Opens the connection again when it has seen what is gone: commits that a failed log took back,
    /// or, after a change of role, a state that nobody writes on any more. The transaction is lost,
    /// unless it has nothing of that.
    pub(super) fn check_epoch(&mut self) -> Result<(), Failure> {
        let log_failed = self.backend.has_lost_commits();
        if !log_failed && !self.backend.sqlite().is_void() {
            return Ok(());
        }
        // After a failure one that has only read so far is over, too: who is in it must hear why.
        let open = self.transaction.status() == TransactionStatus::Transaction;
        let lost = self.transaction.has_written()
            || self.transaction.holds_snapshot()
            || (log_failed && open);
        if log_failed || lost {
            let explicit = self.transaction.is_explicit();
            self.rollback();
            if explicit {
                self.transaction.lose();
            }
        }
        self.backend.reopen()?;
        if !lost {
            return Ok(());
        }
        Err(lost_transaction(log_failed))
    }
}
