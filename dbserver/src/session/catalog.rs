//! `pg_catalog` and `information_schema`: temp tables of the session's connection, filled when a
//! statement reads them and the schema has moved since.

use dialect::catalog::{CatalogInput, CatalogRows};
use dialect::functions::Value;
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::failure::Failure;
use crate::session::{Session, schema};
use crate::system::users::Users;

/// What the catalog tables hold.
#[derive(Debug, Default)]
pub struct CatalogState {
    made: bool,
    schema_version: Option<i64>,
    databases: Vec<String>,
}

impl CatalogState {
    /// The rows may be out of date: a setting has changed.
    pub fn outdate(&mut self) {
        self.schema_version = None;
    }

    /// The tables may be gone, or older than the schema.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Session {
    /// Brings the catalog tables up to date, for a statement that is to be described.
    pub fn prepare_catalog(&mut self) -> Result<(), Failure> {
        self.refresh_catalog()
    }

    /// Brings the catalog tables up to date.
    pub(super) fn refresh_catalog(&mut self) -> Result<(), Failure> {
        let version = self.sqlite.schema_version()?;
        let databases: Vec<String> = self
            .env
            .databases()
            .iter()
            .map(|database| database.name())
            .collect();
        if self.catalog.made
            && self.catalog.schema_version == Some(version)
            && self.catalog.databases == databases
        {
            return Ok(());
        }
        let input = CatalogInput {
            database: self.registered.entry.database.clone(),
            databases: databases.clone(),
            users: self.user_names(),
            tables: schema::all_tables(&self.sqlite)?,
            settings: self.settings.all(),
        };
        let made = self.catalog.made;
        let rows = dialect::catalog::rows(&input);
        self.sqlite.trusted(|connection| {
            connection.execute_batch("SAVEPOINT catalog")?;
            let filled = fill(connection, made, &rows);
            if filled.is_err() {
                connection.execute_batch("ROLLBACK TO catalog")?;
            }
            connection.execute_batch("RELEASE catalog")?;
            filled
        })?;
        self.catalog = CatalogState {
            made: true,
            schema_version: Some(version),
            databases,
        };
        Ok(())
    }

    /// The users of the server, this session's first: it owns what the catalog shows.
    fn user_names(&self) -> Vec<String> {
        let own = self.user().to_owned();
        let all = Users::of(&self.env)
            .all()
            .unwrap_or_default()
            .into_iter()
            .map(|user| user.name);
        let others: Vec<String> = all.filter(|name| *name != own).collect();
        std::iter::once(own).chain(others).collect()
    }
}

fn fill(connection: &Connection, made: bool, tables: &[CatalogRows]) -> rusqlite::Result<()> {
    if !made {
        for table in dialect::catalog::tables() {
            connection.execute_batch(table.create)?;
        }
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
            insert.execute(rusqlite::params_from_iter(row.iter().map(Cell)))?;
        }
    }
    Ok(())
}

/// A value of the dialect as a parameter.
struct Cell<'a>(&'a Value);

impl rusqlite::ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(cell(self.0))
    }
}

/// A value of the dialect as SQLite takes it.
pub(super) fn cell(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Integer(number) => ValueRef::Integer(*number),
        Value::Real(number) => ValueRef::Real(*number),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Blob(bytes) => ValueRef::Blob(bytes),
    })
}
