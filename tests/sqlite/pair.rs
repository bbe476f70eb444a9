//! The same statements on a server and on plain SQLite, compared one by one.

use dbtests::{Client, Refusal};
use rusqlite::Connection;
use tokio_postgres::SimpleQueryMessage;

use crate::engine::field;
use crate::generator::{SCHEMA, Sql, TABLES};

/// What a statement answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Its rows, sorted, and how many were changed.
    Done(Vec<Vec<Option<String>>>, u64),
    /// Refused; the constraint that it violates, if that is why.
    Refused(Option<&'static str>),
}

impl Answer {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done(..))
    }
}

/// Kinds of constraints: SQLSTATE, and how SQLite begins its message.
const CONSTRAINTS: [(&str, &str); 4] = [
    ("23505", "UNIQUE"),
    ("23502", "NOT NULL"),
    ("23503", "FOREIGN KEY"),
    ("23514", "CHECK"),
];

/// Runs a statement on the server.
pub(crate) fn ours(client: &Client, sql: &Sql) -> Result<Answer, Refusal> {
    let messages = match client.wait(client.driver().simple_query(&sql.ours())) {
        Ok(messages) => messages,
        Err(error) => return Err(Refusal::of(&error).unwrap_or_else(|| panic!("{error}"))),
    };
    let (mut rows, mut changed) = (Vec::new(), 0);
    for message in messages {
        match message {
            SimpleQueryMessage::Row(row) => {
                rows.push(
                    (0..row.len())
                        .map(|at| row.get(at).map(str::to_owned))
                        .collect(),
                );
            }
            SimpleQueryMessage::CommandComplete(count) => changed = count,
            _ => {}
        }
    }
    rows.sort();
    Ok(Answer::Done(
        rows,
        if sql.is_change() { changed } else { 0 },
    ))
}

/// A refusal as an answer.
pub(crate) fn refused(refusal: &Refusal) -> Answer {
    let known = CONSTRAINTS.iter().find(|(state, _)| *state == refusal.code);
    Answer::Refused(known.map(|(_, name)| *name))
}

/// Runs a statement in plain SQLite.
pub(crate) fn plain(connection: &Connection, sql: &Sql) -> Answer {
    let run = || -> rusqlite::Result<Answer> {
        let mut statement = connection.prepare(&sql.plain())?;
        let columns = statement.column_count();
        let mut rows = Vec::new();
        let mut cursor = statement.query([])?;
        while let Some(row) = cursor.next()? {
            let row = (0..columns).map(|at| row.get_ref(at).map(field));
            rows.push(row.collect::<rusqlite::Result<_>>()?);
        }
        drop(cursor);
        rows.sort();
        let changed = if sql.is_change() {
            connection.changes()
        } else {
            0
        };
        Ok(Answer::Done(rows, changed))
    };
    run().unwrap_or_else(|error| {
        let text = error.to_string();
        let known = CONSTRAINTS.iter().find(|(_, name)| text.starts_with(name));
        Answer::Refused(known.map(|(_, name)| *name))
    })
}

/// A fresh plain database with the schema of the histories.
pub(crate) fn fresh() -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    connection
        .execute_batch("PRAGMA foreign_keys = ON")
        .expect("a setting");
    for sql in SCHEMA {
        connection
            .execute_batch(sql)
            .unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
    connection
}

/// All rows of all tables, for comparison: a table that is not there is refused on both sides.
pub(crate) fn content(mut run: impl FnMut(&Sql) -> Answer) -> Vec<(&'static str, Answer)> {
    TABLES
        .iter()
        .map(|table| (*table, run(&Sql::new(format!("SELECT * FROM {table}")))))
        .collect()
}
