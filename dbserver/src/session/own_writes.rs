//! A session reads what it has written, also where the master has written it: before it reads here, this server
//! has to show that commit.

use std::thread;
use std::time::{Duration, Instant};

use dialect::StatementKind;
use pgtypes::SqlState;

use crate::clients::SessionState;
use crate::databases::permit::Interrupt;
use crate::environment::{Seen, Shown};
use crate::failure::Failure;
use crate::session::Session;
use crate::session::forwarding::{Forwarding, Route, Situation};
use crate::session::prepared::Prepared;

/// How often it is looked whether a commit is shown; an interrupt ends the pause.
const POLL: Duration = Duration::from_millis(1);

impl Session {
    /// Where its transaction runs.
    pub fn forwarding(&mut self) -> &mut Forwarding {
        &mut self.forwarding
    }

    /// Where a statement runs; `cursor` is one that it names.
    ///
    /// Errors: 25006, see [`Forwarding::route`].
    pub fn route(&mut self, prepared: &Prepared, cursor: Option<&str>) -> Result<Route, Failure> {
        let situation = Situation {
            may_forward: self.backend.may_forward(),
            read_only: self.transaction.is_read_only(),
            has_cursor: cursor.is_some_and(|name| self.portals.get(name).is_some()),
        };
        self.forwarding
            .route(&prepared.statement, prepared.command(), situation)
    }

    /// Whether only the master can describe a statement of the running transaction: it has changed definitions there, or
    /// the statement reads a cursor of that transaction.
    pub fn is_told_there(&mut self, prepared: &Prepared) -> bool {
        let named = match &prepared.statement.kind {
            StatementKind::Fetch { name, .. } => Some(name),
            _ => None,
        };
        let cursor_is_there = named.is_some_and(|name| self.portals.get(name).is_none());
        let has_result = prepared.has_rows() || !prepared.parameters.is_empty();
        (self.forwarding.is_there() && cursor_is_there)
            || (self.forwarding.is_defined_there() && has_result)
    }

    /// Waits until this server shows what the session has written.
    ///
    /// Errors: 57014 where the wait is over before, 40003 where this server never will.
    pub(super) fn wait_for_written(&mut self) -> Result<(), Failure> {
        match self.forwarding.written() {
            Some(seen) => self.wait_for(seen),
            None => Ok(()),
        }
    }

    /// Waits until this server knows the definitions that the session has changed.
    ///
    /// Errors: as [`Session::wait_for_written`].
    pub(super) fn wait_for_defined(&mut self) -> Result<(), Failure> {
        match self.forwarding.defined() {
            // A block that has failed must be ended without any of that.
            Some(seen) if !self.forwarding.is_there() && !self.transaction.is_failed() => {
                self.wait_for(seen)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn wait_for(&mut self, seen: Seen) -> Result<(), Failure> {
        let backend = &self.backend;
        let limit = backend.read_wait();
        let deadline = limit.map(|limit| Instant::now() + limit);
        loop {
            match backend.env().shows(backend.database(), &seen) {
                Shown::Yes => break,
                Shown::NotYet => {}
                Shown::Never => {
                    self.forwarding.settle(seen);
                    return Err(never(seen));
                }
            }
            let interrupt: &Interrupt = backend.interrupt();
            interrupt.check()?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(too_long(seen, limit.unwrap_or_default()));
            }
            thread::park_timeout(POLL);
        }
        self.forwarding.settle(seen);
        Ok(())
    }

    /// How far a reader sees here, where that is news for the slave that this session acts for.
    pub(super) fn news_of_commits(&mut self) -> Option<String> {
        let entry = self.backend.entry();
        entry.via.as_ref()?;
        if self.transaction.is_explicit() {
            return None;
        }
        let seen = self.backend.env().seen_now()?;
        (self.told_seen.replace(seen) != Some(seen)).then(|| seen.to_string())
    }

    /// The list of sessions shows what the session does between its statements.
    pub fn show_state(&self, state: SessionState) {
        self.backend.entry().set_state(state);
    }
}

fn too_long(seen: Seen, limit: Duration) -> Failure {
    Failure::new(
        SqlState::QUERY_CANCELED,
        format!(
            "canceling statement: this slave does not show what the session has written, after {} s",
            limit.as_secs_f64()
        ),
    )
    .detail(format!("It waits for commit {}.", seen.commit()))
    // Nothing else is the cause of it.
    .context("waiting for a forwarded write")
    .hint("'dbctl replication status' on the slave says why it lags; ForwardReadWait is the limit.")
}

fn never(seen: Seen) -> Failure {
    Failure::new(
        SqlState::STATEMENT_COMPLETION_UNKNOWN,
        format!(
            "what the session has written is not in the history of this slave: commit {} is another one here",
            seen.commit()
        ),
    )
    .hint("The master that took it is not the one that this slave follows now; see 'dbctl replication status', and look there for what is lost.")
}
