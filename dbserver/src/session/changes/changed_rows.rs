//! What SQLite's update hook tells.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::Action;

use crate::session::changes::first_change::{self, SeenRows};

/// Rows of one statement that are noted; of more only the tables are.
const MAX_ROWS: usize = 10_000;
/// Tables of the server and of SQLite are nobody's rows.
const HIDDEN: [&str; 2] = ["eloqdb_", "sqlite_"];

/// A table of the database, or of the session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// It is the session's own.
    pub temporary: bool,
    /// Its name.
    pub name: Arc<str>,
}

/// A row that was changed: the first and the last thing that was done to it are told apart by who reads the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedRow {
    /// Place of its table in [`Touched::tables`].
    pub table: usize,
    /// SQLite's number of it.
    pub rowid: i64,
    /// What was done.
    pub action: Action,
}

/// What a statement has changed.
#[derive(Debug, Default)]
pub struct Touched {
    /// The tables.
    pub tables: Vec<TableName>,
    /// Their rows, in the order of the changes.
    pub rows: Vec<ChangedRow>,
    /// Tables that have changed rows which are not in `rows`, because there are too many.
    pub crowded: BTreeSet<TableName>,
    /// Rows were deleted or updated that are not in `rows`.
    pub lost_sight: bool,
    /// How many changes were told of, of all tables.
    pub told: u64,
}

/// Notes what changes on a connection.
#[derive(Debug, Default)]
pub struct ChangedRows {
    noted: Arc<Mutex<Touched>>,
    seen: Arc<SeenRows>,
}

impl ChangedRows {
    /// Listens to a connection.
    pub fn of(connection: &mut Connection) -> rusqlite::Result<Self> {
        let noted = Arc::new(Mutex::new(Touched::default()));
        let seen = Arc::new(SeenRows::default());
        first_change::register(connection, &seen)?;
        let (note, see) = (Arc::clone(&noted), Arc::clone(&seen));
        connection.update_hook(Some(
            move |action: Action, database: &str, table: &str, rowid: i64| {
                see.see(database, table, rowid);
                lock(&note).note(action, database, table, rowid);
            },
        ))?;
        Ok(Self { noted, seen })
    }

    /// A statement begins that asks whether it has changed a row already, if its text says so.
    pub fn prepare_for(&self, text: &str) {
        self.seen.prepare_for(text);
    }

    /// What was changed since the last call.
    pub fn take(&self) -> Touched {
        self.seen.forget();
        std::mem::take(&mut lock(&self.noted))
    }
}

fn lock(touched: &Mutex<Touched>) -> MutexGuard<'_, Touched> {
    // A row is noted in one step.
    touched.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Touched {
    fn note(&mut self, action: Action, database: &str, table: &str, rowid: i64) {
        self.told += 1;
        let temporary = database == "temp";
        let last = self.rows.last().map(|row| row.table);
        let same = |place: &usize| {
            self.tables
                .get(*place)
                .is_some_and(|known| known.temporary == temporary && *known.name == *table)
        };
        let place = last
            .filter(same)
            .or_else(|| (0..self.tables.len()).find(|place| same(place)));
        let place = place.unwrap_or_else(|| {
            self.tables.push(TableName {
                temporary,
                name: table.into(),
            });
            self.tables.len() - 1
        });
        if HIDDEN.iter().any(|prefix| table.starts_with(prefix)) {
            return;
        }
        if self.rows.len() < MAX_ROWS {
            self.rows.push(ChangedRow {
                table: place,
                rowid,
                action,
            });
            return;
        }
        self.lost_sight |= action != Action::SQLITE_INSERT;
        if let Some(name) = self.tables.get(place)
            && !self.crowded.contains(name)
        {
            self.crowded.insert(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_noted_with_what_was_done_to_them() {
        let mut connection = Connection::open_in_memory().unwrap();
        let changed = ChangedRows::of(&mut connection).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (a); CREATE TEMP TABLE u (a); CREATE TABLE eloqdb_x (a);
                 INSERT INTO t VALUES (1), (2); INSERT INTO u VALUES (1); INSERT INTO eloqdb_x VALUES (1);
                 UPDATE t SET a = 3 WHERE a = 2; DELETE FROM t WHERE 1",
            )
            .unwrap();
        let touched = changed.take();
        let seen: Vec<(bool, i64, Action)> = touched
            .rows
            .iter()
            .map(|row| (touched.tables[row.table].temporary, row.rowid, row.action))
            .collect();
        assert_eq!(
            seen,
            [
                (false, 1, Action::SQLITE_INSERT),
                (false, 2, Action::SQLITE_INSERT),
                (true, 1, Action::SQLITE_INSERT),
                (false, 2, Action::SQLITE_UPDATE),
                (false, 1, Action::SQLITE_DELETE),
                (false, 2, Action::SQLITE_DELETE),
            ]
        );
        assert!(changed.take().rows.is_empty());
    }

    #[test]
    fn of_many_rows_only_the_table_is_known() {
        let mut connection = Connection::open_in_memory().unwrap();
        let changed = ChangedRows::of(&mut connection).unwrap();
        let fill = "CREATE TABLE t (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
                    INSERT INTO t SELECT i FROM n";
        connection.execute_batch(fill).unwrap();
        let touched = changed.take();
        assert_eq!(touched.rows.len(), MAX_ROWS);
        assert_eq!(touched.crowded.len(), 1);
        assert!(!touched.lost_sight, "new rows are in nobody's way");
        connection.execute_batch("UPDATE t SET a = 0").unwrap();
        assert!(changed.take().lost_sight);
    }
}
