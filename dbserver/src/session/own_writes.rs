//! A session reads what it has written, also where the master has written it, and what `eloqdb.wait_for` names: before
//! it reads here, this server has to show that commit.

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

/// How a wait has ended.
enum Waited {
    Shown,
    /// After this time.
    TooLong(Duration),
    Never,
}

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
        let limit = self.backend.read_wait();
        match self.wait_until_shown(seen, limit)? {
            Waited::Shown => {}
            Waited::TooLong(limit) => return Err(too_long(seen, limit)),
            Waited::Never => {
                self.forwarding.settle(seen);
                return Err(never(seen));
            }
        }
        self.forwarding.settle(seen);
        Ok(())
    }

    /// Waits until this server shows what `eloqdb.wait_for` names.
    ///
    /// Errors: 57014 where the wait is over before, 55000 where this server never will.
    pub(super) fn wait_for_asked(&mut self) -> Result<(), Failure> {
        let frequent = self.settings.frequent();
        let (asked, limit) = (frequent.wait_for, frequent.wait_timeout);
        let Some(seen) = asked.filter(|_| asked != self.shown) else {
            return Ok(());
        };
        match self.wait_until_shown(seen, limit)? {
            Waited::Shown => {
                self.shown = asked;
                Ok(())
            }
            Waited::TooLong(limit) => {
                let backend = &self.backend;
                let here = backend.home().seen_in(backend.database());
                Err(asked_too_long(seen, here, limit))
            }
            Waited::Never => Err(asked_never(seen)),
        }
    }

    /// Errors: 57014, 57P01 where the session was told to stop.
    fn wait_until_shown(&self, seen: Seen, limit: Option<Duration>) -> Result<Waited, Failure> {
        let backend = &self.backend;
        let deadline = limit.map(|limit| Instant::now() + limit);
        loop {
            match backend.env().shows(backend.database(), &seen) {
                Shown::Yes => return Ok(Waited::Shown),
                Shown::Never => return Ok(Waited::Never),
                Shown::NotYet => {}
            }
            let interrupt: &Interrupt = backend.interrupt();
            interrupt.check()?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Waited::TooLong(limit.unwrap_or_default()));
            }
            thread::park_timeout(POLL);
        }
    }

    /// How far a reader sees here, where that is news for the slave that this session acts for.
    pub(super) fn news_of_commits(&mut self) -> Option<String> {
        self.backend.entry().via.as_ref()?;
        self.news()
    }

    /// The same for a client that has asked for it.
    pub(super) fn news_for_client(&mut self) -> Option<String> {
        if !self.settings.frequent().report_commit {
            return None;
        }
        self.news()
    }

    fn news(&mut self) -> Option<String> {
        if self.transaction.is_explicit() {
            return None;
        }
        let backend = &self.backend;
        let here = || {
            let seen = backend.home().seen_in(backend.database())?;
            Some(seen.with(backend.sqlite().own_commit()))
        };
        let seen = self.forwarding.written().or_else(here)?;
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

fn asked_too_long(seen: Seen, here: Option<Seen>, limit: Duration) -> Failure {
    let shown = match here {
        Some(here) => format!("It shows {here}."),
        None => "It has no forward log by which that can be told.".to_owned(),
    };
    Failure::new(
        SqlState::QUERY_CANCELED,
        format!(
            "canceling statement: this server does not show commit {} after {} s",
            seen.commit(),
            limit.as_secs_f64()
        ),
    )
    .detail(shown)
    .context(format!("waiting for eloqdb.wait_for, {seen}"))
    .hint("'dbctl replication status' says why it lags; eloqdb.wait_timeout is the limit.")
}

fn asked_never(seen: Seen) -> Failure {
    Failure::new(
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!(
            "commit {}, which eloqdb.wait_for names, is not in the history of this server",
            seen.commit()
        ),
    )
    .detail(format!("{seen} belongs to another history."))
    .hint("The master that took it is not the one that this server follows now; see 'dbctl lost list' for what was taken back.")
}
