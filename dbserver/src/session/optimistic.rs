//! Optimistic runs: a transaction block that only changes rows runs without the write permit first.
//!
//! SQLite has one writer, and a client that thinks between BEGIN and COMMIT must not hold it. So the
//! first changes of a block run on a snapshot of their own, and the client gets real row counts and
//! real errors at once. Before anything else happens in the block (a read, COMMIT, a savepoint …)
//! the run is rolled back, the permit is taken, and the same changes run again on the newest
//! commit. If each changes as many rows as the client was told, nobody can tell the difference; if
//! not, nothing has happened and the client gets 40001.
//!
//! What a change takes from sequences is kept, and given to it again. Row counts are all that a client learns from an optimistic run. What would tell more (RETURNING,
//! a read after a change), or is another each time (`random()`), or does not pay (many or large
//! changes) never runs so; nor does a session whose runs failed twice in a row.

use std::rc::Rc;

use dialect::StatementKind;
use pgtypes::{SqlState, SqlValue};
use sqlitevfs::WriteMode;

use crate::databases::Database;
use crate::databases::permit::UnderWay;
use crate::failure::Failure;
use crate::session::prepared::Prepared;
use crate::session::sequences;
use crate::session::sqlite::Sqlite;

/// Changes that are run twice at most; with more, running them twice costs more than waiting.
const MAX_CHANGES: usize = 32;
/// Bytes of parameters that are kept for the second run.
const MAX_BYTES: usize = 64 * 1024;

/// The changes of a block that have run without the permit, to be run again with it.
pub(super) struct OptimisticRun {
    changes: Vec<Change>,
    bytes: usize,
    /// Lets the log writer wait a moment for this transaction to share its sync.
    _announced: UnderWay,
}

struct Change {
    prepared: Rc<Prepared>,
    values: Rc<[SqlValue]>,
    /// The numbers that it took from sequences, in their order.
    numbers: Vec<i64>,
    /// Changed rows, as the client was told.
    rows: u64,
}

impl OptimisticRun {
    /// Begins SQLite's transaction on a snapshot of its own.
    pub(super) fn begin(sqlite: &Sqlite, database: &Database) -> Result<Self, Failure> {
        sqlite.begin(WriteMode::Private)?;
        Ok(Self {
            changes: Vec::new(),
            bytes: 0,
            _announced: database.announce_write(),
        })
    }

    /// Whether the change can run so, as far as its statement tells.
    pub(super) fn suits(prepared: &Prepared) -> bool {
        let statement = &prepared.statement;
        statement.kind == StatementKind::Dml
            && statement.repeatable
            && !statement.returning
            && !statement.catalog
            && statement.needs.is_none()
            && statement.sqlite.len() == 1
    }

    /// Whether one more change fits.
    pub(super) fn has_room_for(&self, values: &[SqlValue]) -> bool {
        self.changes.len() < MAX_CHANGES && self.bytes + size(values) <= MAX_BYTES
    }

    /// Runs one more change; gives the number of changed rows.
    pub(super) fn run(
        &mut self,
        sqlite: &Sqlite,
        prepared: &Rc<Prepared>,
        values: &Rc<[SqlValue]>,
    ) -> Result<u64, Failure> {
        sequences::make_ready(sqlite, &prepared.statement.sequences)?;
        sqlite.sequences().keep();
        let rows = sqlite.change(prepared.text(), values);
        let numbers = sqlite.sequences().take_kept();
        let rows = rows?;
        self.bytes += size(values);
        self.changes.push(Change {
            prepared: Rc::clone(prepared),
            values: Rc::clone(values),
            numbers,
            rows,
        });
        Ok(rows)
    }

    /// Runs all changes again, in the transaction that is to be committed.
    ///
    /// Errors: 40001 when one does not do what the client was told.
    pub(super) fn repeat(&self, sqlite: &Sqlite) -> Result<(), Failure> {
        for change in &self.changes {
            let rows = change.repeat(sqlite);
            if !matches!(rows, Ok(rows) if rows == change.rows) {
                return Err(conflict().detail(difference(change.rows, rows)));
            }
        }
        Ok(())
    }
}

impl Change {
    fn repeat(&self, sqlite: &Sqlite) -> Result<u64, Failure> {
        sequences::make_ready(sqlite, &self.prepared.statement.sequences)?;
        sqlite.sequences().give_again(&self.numbers);
        let rows = sqlite.change(self.prepared.text(), &self.values);
        sqlite.sequences().take_kept();
        rows
    }
}

/// The refusal of a transaction that came too late.
pub(super) fn conflict() -> Failure {
    Failure::new(
        SqlState::SERIALIZATION_FAILURE,
        "could not serialize access due to concurrent update",
    )
    .hint("Run the transaction again.")
}

fn difference(told: u64, rows: Result<u64, Failure>) -> String {
    match rows {
        Ok(rows) => format!(
            "a change of {told} row(s) would change {rows} after what was committed meanwhile"
        ),
        Err(failure) => failure.to_string(),
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
