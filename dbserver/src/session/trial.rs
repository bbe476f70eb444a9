//! Changes on trial: a transaction block that only changes rows runs without the write permit first.
//!
//! SQLite has one writer, and a client that thinks between BEGIN and COMMIT must not hold it. So the
//! first changes of a block run on a snapshot of their own, and the client gets real row counts and
//! real errors at once. Before anything else happens in the block (a read, COMMIT, a savepoint …)
//! the trial is thrown away, the permit is taken, and the same changes run again on the newest
//! commit. If each changes as many rows as the client was told, nobody can tell the difference; if
//! not, nothing has happened and the client gets 40001.
//!
//! Row counts are all that a client learns from a trial. What would tell more (RETURNING, a read
//! after a change), or is another each time (`random()`), or does not pay (many or large changes)
//! is never on trial; nor is a session that lost twice.

use std::rc::Rc;

use dialect::{Isolation, StatementKind};
use pgtypes::{SqlState, SqlValue};
use sqlitevfs::WriteMode;

use crate::databases::permit::UnderWay;
use crate::failure::Failure;
use crate::session::prepared::Prepared;
use crate::session::{Session, cursor, mapping};

/// Changes that are run twice at most; with more, running them twice costs more than waiting.
const MOST_CHANGES: usize = 32;
/// Bytes of parameters that are kept for the second run.
const MOST_BYTES: usize = 64 * 1024;
/// After so many trials in a row that came to nothing a session waits for the permit instead.
const MOST_LOSSES: u32 = 2;

/// What has run on trial, to be run again.
pub(super) struct Trial {
    changes: Vec<Change>,
    bytes: usize,
    /// Lets the log writer wait a moment for this transaction to share its sync.
    _announced: UnderWay,
}

struct Change {
    prepared: Rc<Prepared>,
    values: Rc<[SqlValue]>,
    /// Changed rows, as the client was told.
    rows: u64,
}

impl Session {
    /// Whether the change can run on trial.
    pub(super) fn goes_on_trial(&self, prepared: &Prepared, values: &[SqlValue]) -> bool {
        let statement = &prepared.statement;
        let plain = statement.kind == StatementKind::Dml
            && statement.repeatable
            && !statement.returning
            && !statement.catalog
            && statement.needs.is_none()
            && statement.sqlite.len() == 1;
        let transaction = &self.transaction;
        let room = transaction.trial.as_ref().is_none_or(|trial| {
            trial.changes.len() < MOST_CHANGES && trial.bytes + size(values) <= MOST_BYTES
        });
        plain
            && room
            && transaction.is_explicit()
            && transaction.isolation() == Isolation::ReadCommitted
            && transaction.permit.is_none()
            && transaction.savepoints.is_empty()
            && !transaction.defers_constraints()
            && self.lost_trials < MOST_LOSSES
    }

    /// Runs a change on trial; gives the number of changed rows.
    pub(super) fn try_change(
        &mut self,
        prepared: &Rc<Prepared>,
        values: &Rc<[SqlValue]>,
    ) -> Result<u64, Failure> {
        if self.transaction.trial.is_none() {
            self.sqlite.handle.set_write_mode(WriteMode::Private);
            if let Err(failure) = self.sqlite.run("BEGIN IMMEDIATE") {
                self.sqlite.handle.allow_write(false);
                return Err(failure);
            }
            self.transaction.trial = Some(Trial {
                changes: Vec::new(),
                bytes: 0,
                _announced: self.database().announce_write(),
            });
        }
        let rows = self.change(prepared.text(), values)?;
        if let Some(trial) = &mut self.transaction.trial {
            trial.bytes += size(values);
            trial.changes.push(Change {
                prepared: Rc::clone(prepared),
                values: Rc::clone(values),
                rows,
            });
        }
        Ok(rows)
    }

    /// Runs again with the permit what was on trial; nothing to do when nothing was.
    pub(super) fn settle_trial(&mut self) -> Result<(), Failure> {
        let Some(trial) = self.transaction.trial.take() else {
            return Ok(());
        };
        let ended = self.sqlite.run("ROLLBACK");
        self.sqlite.handle.allow_write(false);
        ended?;
        self.take_permit()?;
        for change in &trial.changes {
            let rows = self.change(change.prepared.text(), &change.values);
            if !matches!(rows, Ok(rows) if rows == change.rows) {
                self.lost_trials += 1;
                return Err(lost(change, rows));
            }
        }
        self.lost_trials = 0;
        Ok(())
    }

    /// Throws a trial away.
    pub(super) fn drop_trial(&mut self) {
        if self.transaction.trial.take().is_none() {
            return;
        }
        if !self.sqlite.connection.is_autocommit()
            && let Err(failure) = self.sqlite.run("ROLLBACK")
        {
            tracing::error!(%failure, "SQLite refused to roll back");
        }
        self.sqlite.handle.allow_write(false);
    }

    /// Runs a change in SQLite's open transaction; gives the number of changed rows.
    pub(super) fn change(&self, text: &str, values: &[SqlValue]) -> Result<u64, Failure> {
        let sqlite = Rc::clone(&self.sqlite);
        let mut statement = sqlite.prepare(text)?;
        mapping::bind(&mut statement, values)?;
        if statement.column_count() > 0 {
            // Some PRAGMA or SELECT in the place of a change: its rows are nobody's.
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            return Ok(0);
        }
        cursor::finish(statement)
    }
}

fn size(values: &[SqlValue]) -> usize {
    values
        .iter()
        .map(|value| match value {
            SqlValue::Null | SqlValue::Integer(_) | SqlValue::Real(_) => 8,
            SqlValue::Text(text) => text.len(),
            SqlValue::Blob(bytes) => bytes.len(),
        })
        .sum()
}

fn lost(change: &Change, rows: Result<u64, Failure>) -> Failure {
    let why = match rows {
        Ok(rows) => format!(
            "a change of {} row(s) would change {rows} after what was committed meanwhile",
            change.rows
        ),
        Err(failure) => failure.to_string(),
    };
    Failure::new(
        SqlState::SERIALIZATION_FAILURE,
        "could not serialize access due to concurrent update",
    )
    .detail(why)
    .hint("Run the transaction again.")
}
