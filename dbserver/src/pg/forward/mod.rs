//! Transactions that a slave's session has run on the master, because they begin with a write (`ForwardWrites`).
//!
//! ```text
//!  client ── statement ──▶ session::forwarding: here, or there?
//!                             │ there                                      ┌ line: frames, cancel, time limits
//!                             ▼                                            │
//!                 transaction: settings, BEGIN, what was remembered ──▶ Line ══▶ master (acting: the user's session)
//!                 statement:   Parse Bind Describe Execute             ◀══ rows, tags, errors as they are
//!                 transaction: COMMIT ─▶ how far a reader sees there ──▶ session: later reads wait for it
//! ```
//!
//! A transaction is never sent twice, nor a part of it: what was sent when a connection is lost is told as lost.
//! In a block each statement ends with Sync; outside of one, Sync is what commits, as it is for any client.

mod answer;
mod copy;
mod line;
mod login;
mod settings;
mod statement;
mod transaction;

use std::time::Duration;

use dialect::StatementKind;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::pg::forward::line::{Broken, Line};
use crate::pg::perform::Ending;
use crate::session::backend::terminated;
use crate::session::forwarding::Route;
use crate::session::portal::Portal;
use crate::session::refusals::aborted;

pub(super) use statement::{describe, describe_cursor};
pub(super) use transaction::{abandon, finish_implicit};

/// An unused connection to the master is closed after this time.
const IDLE_LIMIT: Duration = Duration::from_mins(5);

/// What the master has of the session's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Open {
    /// Nothing.
    #[default]
    No,
    /// It runs it.
    Yes,
    /// It did, and the connection was lost.
    Lost,
}

/// A session's connection to the master, and what is going on there.
#[derive(Default)]
pub(super) struct Forward {
    line: Option<Line>,
    open: Open,
    /// Portals of the session there so far that may be run on: each has a name of its own.
    portals: u64,
}

impl Forward {
    /// How long the connection may stay unused from now on; `None`: there is none, or it is in use.
    pub(super) fn idle_limit(&self) -> Option<Duration> {
        (self.line.is_some() && self.open != Open::Yes).then_some(IDLE_LIMIT)
    }

    /// Closes the connection. A transaction that is open there is undone.
    pub(super) fn close(&mut self) {
        if let Some(line) = self.line.take()
            && self.open == Open::No
        {
            line.say_goodbye();
        }
    }

    /// A name that no client gives to a cursor of its own, which is a portal there, too.
    fn next_portal(&mut self) -> String {
        self.portals += 1;
        format!("eloqdb_portal_{}", self.portals)
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.close();
    }
}

/// Why the master has not done what it was asked for.
enum Stop {
    /// It says why.
    Refused(Failure),
    /// There is no answer.
    Broken(Broken),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Runs a portal on the master, or runs it on, if that is where it belongs; `None`: this server runs it. `text` is the
/// statement where the portal is not all of it: a known text of the simple protocol.
pub(super) async fn perform(
    connection: &mut Connection,
    portal: &mut Portal,
    text: Option<&str>,
    limit: u64,
    describe: bool,
) -> Result<Option<Ending>, Failure> {
    let prepared = std::rc::Rc::clone(portal.prepared());
    let kind = &prepared.statement.kind;
    let session = connection.session();
    session.transaction().check_accepts(kind)?;
    if !session.forwarding().is_there() {
        begin_anew(connection);
    }
    let session = connection.session();
    let route = if portal.elsewhere().is_some() {
        Route::There
    } else {
        session.route(&prepared, cursor(kind))?
    };
    let source = text.unwrap_or(&prepared.source);
    match route {
        Route::Here => Ok(None),
        Route::There => {
            if let Some(what) = prepared.statement.outside_block {
                session.transaction().check_outside_block(what)?;
            }
            let work = statement::Work {
                portal,
                text,
                limit,
                describe,
            };
            statement::run(connection, work).await.map(Some)
        }
        Route::Both => {
            transaction::mark(connection, kind, source).await?;
            Ok(None)
        }
        Route::End { commit } => transaction::end(connection, commit).await,
    }
}

/// A new transaction has not got anywhere yet.
fn begin_anew(connection: &mut Connection) {
    let forward = connection.forward();
    if forward.open == Open::Yes {
        // Nobody waits for it any more.
        forward.close();
    }
    if forward.open != Open::No {
        transaction::over(connection);
    }
}

/// The cursor that a statement names.
fn cursor(kind: &StatementKind) -> Option<&str> {
    match kind {
        StatementKind::Fetch { name, .. } | StatementKind::Move { name, .. } => Some(name),
        StatementKind::CloseCursor { name } => name.as_deref(),
        _ => None,
    }
}

/// The connection that the transaction runs on.
///
/// Errors: 25P02 where it was lost.
fn take_line(connection: &mut Connection) -> Result<Line, Failure> {
    let forward = connection.forward();
    forward.line.take().ok_or_else(|| {
        aborted().detail("The connection to the master was lost, and the transaction with it.")
    })
}

/// The connection is used again, unless what has happened on it was its end.
fn put_back<T>(
    connection: &mut Connection,
    line: Line,
    result: Result<T, Stop>,
) -> Result<T, Failure> {
    match result {
        Ok(value) => {
            connection.forward().line = Some(line);
            Ok(value)
        }
        Err(Stop::Refused(failure)) => {
            connection.forward().line = Some(line);
            Err(failure)
        }
        Err(Stop::Broken(broken)) => {
            connection.forward().open = Open::Lost;
            Err(lost(connection, &line, broken))
        }
    }
}

/// The connection is lost before a commit was asked for, so nothing of the transaction is.
fn lost(connection: &mut Connection, line: &Line, broken: Broken) -> Failure {
    let backend = connection.session().backend();
    match broken {
        Broken::GivenUp(failure) => failure,
        Broken::Ended => backend.entry().last_word().unwrap_or_else(terminated),
        Broken::Lost(why) => {
            let (session, user, target) = (backend.entry().pid, backend.user(), &line.target);
            tracing::warn!(target = %target, user, "a forwarded transaction is lost: {why}; session {session}");
            Failure::new(
                SqlState::CONNECTION_FAILURE,
                format!("the connection to the master {target} was lost in a transaction: {why}"),
            )
            .detail("COMMIT was not sent: nothing of the transaction is committed.")
            .hint("Run the transaction again.")
        }
    }
}
