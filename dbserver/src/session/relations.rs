//! All tables and views of a session's database.

use dialect::TableInfo;
use rusqlite::Connection;

use crate::failure::Failure;
use crate::session::schema::read_table;
use crate::session::sqlite::Sqlite;

/// The names of all tables and views of the database, in their order.
fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view')
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// The number of a table or view in `pg_class`.
pub(super) fn number(sqlite: &Sqlite, name: &str) -> Option<u32> {
    sqlite.schema().number(name, || {
        let found = sqlite.trusted(names);
        found
            .inspect_err(|error| tracing::debug!(%error, "the schema could not be read"))
            .unwrap_or_default()
    })
}

/// All tables and views of the database, in the order of their names, with indexes and triggers.
pub(super) fn all(sqlite: &Sqlite) -> Result<Vec<TableInfo>, Failure> {
    sqlite.trusted(|connection| {
        let names = names(connection)?;
        let mut dependents = connection.prepare_cached(
            "SELECT type, sql FROM main.sqlite_schema WHERE type IN ('index', 'trigger')
             AND tbl_name = ?1 AND sql IS NOT NULL ORDER BY name",
        )?;
        let mut tables = Vec::with_capacity(names.len());
        for name in names {
            let Some(mut info) = read_table(connection, &name)? else {
                continue;
            };
            let rows = dependents.query_map([&name], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            for row in rows {
                let (kind, sql) = row?;
                if kind == "index" {
                    info.indexes.push(sql);
                } else {
                    info.triggers.push(sql);
                }
            }
            tables.push(info);
        }
        Ok(tables)
    })
}
