//! What came of lost transactions: rows of a table of the database that they were in.

use dialect::LOST_TABLE;
use fwlog::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::databases::Database;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::statement;

/// What came of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its rows were written again.
    Applied,
    /// All its rows were as it had left them.
    There,
    /// It was left, because something stands in its way; it may be tried again.
    Conflict,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Applied, Self::There, Self::Conflict];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::There => "there",
            Self::Conflict => "conflict",
        }
    }

    /// The outcome with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostOutcome {
    /// The database.
    pub database: String,
    /// The transaction.
    pub id: String,
    /// What came of it.
    pub outcome: String,
    /// When, in UTC.
    pub time: String,
    /// Who has done it.
    pub by: String,
}

/// Notes what came of a transaction. `false`: it was done before.
pub fn put(
    connection: &Connection,
    id: &str,
    outcome: Outcome,
    by: &str,
) -> rusqlite::Result<bool> {
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS main.{LOST_TABLE} (id TEXT NOT NULL PRIMARY KEY, outcome TEXT NOT NULL, \
         done_at TEXT NOT NULL, done_by TEXT NOT NULL) WITHOUT ROWID"
    ))?;
    let sql = format!(
        "INSERT INTO main.{LOST_TABLE} VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET outcome = ?2, \
         done_at = ?3, done_by = ?4 WHERE outcome = 'conflict'"
    );
    let now = Timestamp::now().to_string();
    let written = connection.execute(&sql, params![id, outcome.word(), now, by])?;
    Ok(written == 1)
}

/// Whether a transaction was done again in a database, or was there.
pub fn is_done(database: &Database, id: &str) -> Result<bool, EngineError> {
    statement::read(database, |connection| {
        if !connection.table_exists(None, LOST_TABLE)? {
            return Ok(false);
        }
        let sql =
            format!("SELECT 1 FROM main.{LOST_TABLE} WHERE id = ?1 AND outcome <> 'conflict'");
        connection.prepare(&sql)?.exists([id])
    })
}

/// Those of all databases whose ids begin so, by database and id.
pub fn all(environment: &Environment, prefix: &str) -> Result<Vec<LostOutcome>, EngineError> {
    let mut found = Vec::new();
    for database in environment.databases() {
        let name = environment.name_of(&database);
        let rows = statement::read(&database, |connection| {
            if !connection.table_exists(None, LOST_TABLE)? {
                return Ok(Vec::new());
            }
            let sql = format!(
                "SELECT id, outcome, done_at, done_by FROM main.{LOST_TABLE} WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id"
            );
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map([prefix], |row| {
                Ok(LostOutcome {
                    database: name.clone(),
                    id: row.get(0)?,
                    outcome: row.get(1)?,
                    time: row.get(2)?,
                    by: row.get(3)?,
                })
            })?;
            rows.collect()
        })?;
        found.extend::<Vec<_>>(rows);
    }
    Ok(found)
}
