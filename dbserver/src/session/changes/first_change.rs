//! Rows that one INSERT … ON CONFLICT DO UPDATE would change twice: which of its rows comes last is nothing that a
//! client can rely on.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dialect::sqlite::insert::FIRST_CHANGE;
use pgtypes::SqlState;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Error};

/// Whether its table is the session's own, the table, and SQLite's number.
type Row = (bool, Arc<str>, i64);

/// The rows that the running statement has put in or changed, while it asks for them.
#[derive(Debug, Default)]
pub(super) struct SeenRows(Mutex<Option<HashSet<Row>>>);

impl SeenRows {
    fn lock(&self) -> MutexGuard<'_, Option<HashSet<Row>>> {
        // A row is noted in one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with none, for a text that asks.
    pub(super) fn prepare_for(&self, text: &str) {
        if text.contains(FIRST_CHANGE) {
            *self.lock() = Some(HashSet::new());
        }
    }

    /// The statement is done.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    /// Notes a row.
    pub(super) fn see(&self, schema: &str, table: &str, row: i64) {
        if let Some(rows) = self.lock().as_mut() {
            rows.insert((schema == "temp", table.into(), row));
        }
    }

    fn has(&self, schema: &str, table: &str, row: i64) -> bool {
        let rows = self.lock();
        rows.as_ref()
            .is_some_and(|rows| rows.contains(&(schema == "temp", table.into(), row)))
    }
}

/// Registers the function by which a statement asks.
pub(super) fn register(connection: &Connection, seen: &Arc<SeenRows>) -> rusqlite::Result<()> {
    let seen = AssertUnwindSafe(Arc::clone(seen));
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(FIRST_CHANGE, 3, flags, move |context| {
        let (schema, table) = (context.get_raw(0).as_str()?, context.get_raw(1).as_str()?);
        if seen.has(schema, table, context.get_raw(2).as_i64()?) {
            let message = "ON CONFLICT DO UPDATE command cannot affect row a second time";
            let tagged = pgtypes::sqlite::tagged(SqlState::CARDINALITY_VIOLATION, message);
            return Err(Error::UserFunctionError(tagged.into()));
        }
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::changes::ChangedRows;

    #[test]
    fn a_row_is_put_in_and_changed_by_different_statements_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        let changed = ChangedRows::of(&mut connection).unwrap();
        connection
            .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, n)")
            .unwrap();
        let put = |rows: &str| {
            let text = format!(
                "INSERT INTO t VALUES {rows} ON CONFLICT (id) DO UPDATE SET n = n + 1
                 WHERE pg_first_change('main', 't', t._rowid_)"
            );
            changed.prepare_for(&text);
            let done = connection.execute(&text, []);
            changed.take();
            done.map_err(|error| error.to_string())
        };
        assert_eq!(put("(1, 0), (2, 0)"), Ok(2));
        assert_eq!(put("(1, 0), (2, 0)"), Ok(2));
        for rows in ["(1, 0), (1, 0)", "(3, 0), (3, 0)"] {
            let error = put(rows).unwrap_err();
            assert!(error.contains("cannot affect row a second time"), "{error}");
        }
    }
}
