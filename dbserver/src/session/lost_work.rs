//! A transaction that does a lost one again: which, and how many rows it has changed so far.
//!
//! What came of it is a row of a table in the same database, written with the transaction's COMMIT: no crash and no second
//! attempt, from whichever copy of the file, does one twice.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dialect::LOST_TABLE;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::sqlite::Sqlite;
use crate::system::lost_outcomes::{self, Outcome};

/// What the session's transaction has said of lost ones.
#[derive(Default)]
pub struct LostWork(Mutex<Option<Begun>>);

struct Begun {
    id: String,
    outcome: Outcome,
    by: String,
    rows: u64,
}

impl LostWork {
    fn begun(&self) -> MutexGuard<'_, Option<Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transaction does this one again, or says what came of it. `false`: it does another one.
    pub fn begin(&self, id: &str, outcome: Outcome, by: &str) -> bool {
        let mut begun = self.begun();
        if begun.as_ref().is_some_and(|begun| begun.id != id) {
            return false;
        }
        let rows = begun.as_ref().map_or(0, |begun| begun.rows);
        *begun = Some(Begun {
            id: id.to_owned(),
            outcome,
            by: by.to_owned(),
            rows,
        });
        true
    }

    /// A statement has changed so many rows.
    pub fn count(&self, rows: u64) {
        if let Some(begun) = self.begun().as_mut() {
            begun.rows += rows;
        }
    }

    /// How many rows were changed since it was begun; `None`: none was.
    pub fn rows(&self) -> Option<u64> {
        self.begun().as_ref().map(|begun| begun.rows)
    }

    /// Whether COMMIT has something to write.
    pub fn is_begun(&self) -> bool {
        self.begun().is_some()
    }

    /// The transaction is over.
    pub fn end(&self) {
        *self.begun() = None;
    }
}

/// Before COMMIT: what came of the lost transaction is on disk with it.
///
/// Errors: R0122, somebody else has done it meanwhile.
pub fn write(sqlite: &Sqlite) -> Result<(), Failure> {
    let begun = sqlite.lost().begun();
    let Some(begun) = begun.as_ref() else {
        return Ok(());
    };
    let written = sqlite.trusted(|connection| {
        lost_outcomes::put(connection, &begun.id, begun.outcome, &begun.by)
    })?;
    if written {
        return Ok(());
    }
    Err(done_already(&begun.id))
}

fn done_already(id: &str) -> Failure {
    Failure::new(
        SqlState::LOST_DONE_ALREADY,
        format!("lost transaction {id} was done again already"),
    )
    .detail(format!(
        "{LOST_TABLE} of this database has its outcome: 'dbctl lost status' shows it."
    ))
}
