//! Sessions that are ended because of what they do.

use std::thread::ThreadId;

use crate::clients::registry::Sessions;
use crate::failure::Failure;

impl Sessions {
    /// Ends the sessions whose clients have gone while their statements run.
    pub fn end_vanished(&self) {
        for entry in self
            .entries()
            .into_iter()
            .filter(|entry| entry.has_vanished())
        {
            let (session, user, address) = (entry.pid, &entry.user, entry.address);
            tracing::info!(session, user, %address, "the client has gone: its statement is cancelled");
            entry.terminate();
        }
    }

    /// Ends the sessions of the threads that `is_meant` names, with this as the last word.
    pub fn end_those(&self, last_word: &Failure, is_meant: impl Fn(ThreadId) -> bool) {
        for entry in self.entries() {
            if is_meant(entry.interrupt.thread()) {
                entry.set_last_word(last_word.clone());
                entry.terminate();
            }
        }
    }

    /// Ends the sessions that are in a transaction block of a database that `is_meant` names, and those of the threads that
    /// `writes` names, with this as the last word. Commands of operators go on.
    pub fn end_writers(
        &self,
        last_word: &Failure,
        is_meant: impl Fn(&str) -> bool,
        writes: impl Fn(ThreadId) -> bool,
    ) {
        for entry in self.entries() {
            let is_in_block =
                entry.is_in_transaction() && !entry.is_control() && is_meant(&entry.database);
            if is_in_block || writes(entry.interrupt.thread()) {
                entry.set_last_word(last_word.clone());
                entry.terminate();
            }
        }
    }
}
