//! The two that are compared: a server of ours, asked by a driver, and plain SQLite in this process.

use std::fmt::Write as _;

use dbtests::Client;
use rusqlite::types::ValueRef;

/// A value as text; `None` is NULL.
pub(crate) type Field = Option<String>;

/// The rows of a statement, or why it was refused.
pub(crate) type Outcome = Result<Vec<Vec<Field>>, String>;

/// Runs statements, each in a transaction of its own unless it says BEGIN.
pub(crate) trait Engine {
    /// What `skipif` and `onlyif` call it.
    fn name(&self) -> &'static str;
    /// Runs one statement.
    fn run(&mut self, sql: &str) -> Outcome;
}

/// A server of ours.
pub(crate) struct Ours(pub(crate) Client);

impl Engine for Ours {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn run(&mut self, sql: &str) -> Outcome {
        self.0.try_rows(sql).map_err(|error| {
            let refusal = dbtests::Refusal::of(&error);
            let refusal = refusal.unwrap_or_else(|| panic!("{error}: {sql}"));
            format!("{}: {}", refusal.code, refusal.message)
        })
    }
}

/// Plain SQLite, in memory.
pub(crate) struct Plain(pub(crate) rusqlite::Connection);

impl Plain {
    /// An empty database.
    pub(crate) fn new() -> Self {
        let connection = rusqlite::Connection::open_in_memory().expect("a database");
        connection
            .execute_batch("PRAGMA foreign_keys = ON")
            .expect("a setting");
        Self(connection)
    }
}

impl Engine for Plain {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn run(&mut self, sql: &str) -> Outcome {
        let run = || -> rusqlite::Result<Vec<Vec<Field>>> {
            let mut statement = self.0.prepare(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let row = (0..columns).map(|at| row.get_ref(at).map(field));
                all.push(row.collect::<rusqlite::Result<_>>()?);
            }
            Ok(all)
        };
        run().map_err(|error| error.to_string())
    }
}

/// A value as the server's text form shows it.
pub(crate) fn field(value: ValueRef<'_>) -> Field {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(value.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(format!("\\x{}", hex(bytes))),
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(digits, "{byte:02x}").expect("a String takes all");
    }
    digits
}
