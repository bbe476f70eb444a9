//! `pg_catalog` and `information_schema`: temp tables of the session's connection, filled when a
//! statement reads them and the schema has moved since.

use std::collections::HashMap;

use dialect::functions::Value;
use dialect::pg_catalog::{CatalogInput, CatalogRows};
use dialect::{Comment, SequenceInfo};
use rusqlite::Connection;

use crate::databases::functions::Answer;
use crate::failure::Failure;
use crate::session::backend::Backend;
use crate::session::schema;
use crate::session::settings::Settings;
use crate::system::users::Users;

/// What the catalog tables hold.
#[derive(Debug, Default)]
pub struct Catalog {
    /// The generation of the schema that they show.
    generation: Option<u64>,
    databases: Vec<String>,
    users: Vec<String>,
    sequences: Vec<SequenceInfo>,
    comments: Vec<Comment>,
}

impl Catalog {
    /// The rows may be out of date: a setting has changed.
    pub fn outdate(&mut self) {
        self.generation = None;
    }

    /// Brings the tables up to date.
    pub fn refresh(&mut self, backend: &Backend, settings: &Settings) -> Result<(), Failure> {
        let sqlite = backend.sqlite();
        sqlite.schema().refresh(sqlite.schema_version()?);
        let generation = Some(sqlite.schema().generation());
        let databases: Vec<String> = backend
            .env()
            .databases()
            .iter()
            .map(|database| database.name())
            .collect();
        let users = user_names(backend);
        let sequences = schema::all_sequences(sqlite)?;
        let comments = schema::all_comments(sqlite)?;
        if self.generation == generation
            && self.databases == databases
            && self.users == users
            && self.sequences == sequences
            && self.comments == comments
        {
            return Ok(());
        }
        let rows = dialect::pg_catalog::rows(&CatalogInput {
            database: backend.entry().database.clone(),
            databases: databases.clone(),
            users: users.clone(),
            tables: schema::all_tables(sqlite)?,
            sequences: sequences.clone(),
            comments: comments.clone(),
            settings: settings.all(),
        });
        sqlite.trusted(|connection| {
            connection.execute_batch("SAVEPOINT catalog")?;
            let filled = fill(connection, &rows);
            if filled.is_err() {
                connection.execute_batch("ROLLBACK TO catalog")?;
            }
            connection.execute_batch("RELEASE catalog")?;
            filled
        })?;
        backend.show_comments(comments_of(&rows));
        *self = Self {
            generation,
            databases,
            users,
            sequences,
            comments,
        };
        Ok(())
    }
}

/// The rows of `pg_description` and `pg_shdescription`: class, object, column, and what was said.
fn comments_of(rows: &[CatalogRows]) -> HashMap<(i64, i64, i64), String> {
    let mut comments = HashMap::new();
    for table in rows {
        for row in &table.rows {
            let (object, class, column, said) = match (table.table, row.as_slice()) {
                (
                    "pg_description",
                    [
                        Value::Integer(object),
                        Value::Integer(class),
                        Value::Integer(column),
                        Value::Text(said),
                    ],
                ) => (*object, *class, *column, said),
                (
                    "pg_shdescription",
                    [
                        Value::Integer(object),
                        Value::Integer(class),
                        Value::Text(said),
                    ],
                ) => (*object, *class, 0, said),
                _ => continue,
            };
            comments.insert((class, object, column), said.clone());
        }
    }
    comments
}

/// The users of the server, this session's first: it owns what the catalog shows.
fn user_names(backend: &Backend) -> Vec<String> {
    let own = backend.user().to_owned();
    let all = Users::of(backend.env())
        .all()
        .unwrap_or_default()
        .into_iter();
    let others: Vec<String> = all
        .map(|user| user.name)
        .filter(|name| *name != own)
        .collect();
    std::iter::once(own).chain(others).collect()
}

fn fill(connection: &Connection, tables: &[CatalogRows]) -> rusqlite::Result<()> {
    for table in dialect::pg_catalog::tables() {
        connection.execute_batch(table.create)?;
    }
    for table in tables {
        connection.execute(&format!("DELETE FROM temp.\"{}\"", table.table), [])?;
        let Some(first) = table.rows.first() else {
            continue;
        };
        let places = vec!["?"; first.len()].join(", ");
        let sql = format!("INSERT INTO temp.\"{}\" VALUES ({places})", table.table);
        let mut insert = connection.prepare(&sql)?;
        for row in &table.rows {
            insert.execute(rusqlite::params_from_iter(row.iter().cloned().map(Answer)))?;
        }
    }
    Ok(())
}
