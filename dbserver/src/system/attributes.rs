//! What CREATE ROLE and ALTER ROLE say of a role beside its password and its level: rows of the database `system`, so a
//! slave has its master's. A role without a row is as CREATE USER makes it.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::EngineError;
use crate::system::statement::internal;

/// Made with the first one.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS attributes (
    name             TEXT NOT NULL PRIMARY KEY,
    login            INTEGER NOT NULL,
    inherit          INTEGER NOT NULL,
    create_databases INTEGER NOT NULL,
    replication      INTEGER NOT NULL,
    connection_limit INTEGER NOT NULL,
    valid_until      INTEGER
) WITHOUT ROWID";

/// The attributes of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an attribute of its own, as in PostgreSQL"
)]
pub struct Attributes {
    /// It may log in.
    pub login: bool,
    /// It has the rights of its groups without SET ROLE.
    pub inherit: bool,
    /// It may make databases.
    pub create_databases: bool,
    /// It may feed slaves.
    pub replication: bool,
    /// How many sessions it may have; -1: any number.
    pub connection_limit: i64,
    /// Until when its password is good: a stored timestamp.
    pub valid_until: Option<i64>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            login: true,
            inherit: true,
            create_databases: false,
            replication: false,
            connection_limit: -1,
            valid_until: None,
        }
    }
}

const COLUMNS: &str =
    "login, inherit, create_databases, replication, connection_limit, valid_until, name";

fn read_row(row: &Row<'_>) -> rusqlite::Result<Attributes> {
    Ok(Attributes {
        login: row.get(0)?,
        inherit: row.get(1)?,
        create_databases: row.get(2)?,
        replication: row.get(3)?,
        connection_limit: row.get(4)?,
        valid_until: row.get(5)?,
    })
}

/// Those of a role.
pub(super) fn of(connection: &Connection, name: &str) -> rusqlite::Result<Attributes> {
    if !connection.table_exists(None, "attributes")? {
        return Ok(Attributes::default());
    }
    let sql = format!("SELECT {COLUMNS} FROM attributes WHERE name = ?1");
    let found = connection.query_row(&sql, [name], read_row).optional()?;
    Ok(found.unwrap_or_default())
}

/// All that differ from the usual, by role.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<(String, Attributes)>> {
    if !connection.table_exists(None, "attributes")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM attributes"))?;
    let rows = statement.query_map([], |row| Ok((row.get(6)?, read_row(row)?)))?;
    rows.collect()
}

/// Keeps those of a role.
pub(super) fn store(
    connection: &Connection,
    name: &str,
    attributes: &Attributes,
) -> Result<(), EngineError> {
    if *attributes == Attributes::default() {
        return forget(connection, name);
    }
    connection.execute_batch(SCHEMA).map_err(internal)?;
    connection
        .execute(
            "INSERT OR REPLACE INTO attributes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                name,
                attributes.login,
                attributes.inherit,
                attributes.create_databases,
                attributes.replication,
                attributes.connection_limit,
                attributes.valid_until
            ],
        )
        .map(drop)
        .map_err(internal)
}

/// A role that is dropped has none any more.
pub(super) fn forget(connection: &Connection, name: &str) -> Result<(), EngineError> {
    let known = connection.table_exists(None, "attributes");
    if known.map_err(internal)? {
        connection
            .execute("DELETE FROM attributes WHERE name = ?1", [name])
            .map_err(internal)?;
    }
    Ok(())
}
