//! All tables and views of a session's database.

use dialect::TableInfo;
use rusqlite::Connection;

use crate::failure::Failure;
use crate::session::schema::read_table_from;
use crate::session::sqlite::Sqlite;

/// The names of all tables and views of the database, in their order.
pub(super) fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view')
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// The number of a table or view in `pg_class`.
pub(super) fn number(sqlite: &Sqlite, name: &str) -> Option<u32> {
    sqlite.schema().number(name, || sqlite.trusted(names))
}

/// The names of the session's own tables and views, in their order.
fn temporary_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM temp.sqlite_schema WHERE type IN ('table', 'view')
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let of_catalog = |name: &str| dialect::pg_catalog::tables().any(|table| table.name == name);
    Ok(names.into_iter().filter(|name| !of_catalog(name)).collect())
}

/// All tables and views of the database, in the order of their names, and then those of the session, with indexes and
/// triggers.
pub(super) fn all(sqlite: &Sqlite) -> Result<Vec<TableInfo>, Failure> {
    sqlite.trusted(|connection| {
        let lasting = names(connection)?.into_iter().map(|name| (name, false));
        let own = temporary_names(connection)?;
        let names = lasting.chain(own.into_iter().map(|name| (name, true)));
        let dependents = |schema: &str| {
            connection.prepare_cached(&format!(
                "SELECT type, sql FROM {schema}.sqlite_schema WHERE type IN ('index', 'trigger')
                 AND tbl_name = ?1 AND sql IS NOT NULL ORDER BY name"
            ))
        };
        let mut tables = Vec::new();
        for (name, temporary) in names {
            let Some(mut info) = read_table_from(connection, &name, temporary)? else {
                continue;
            };
            let mut dependents = dependents(if temporary { "temp" } else { "main" })?;
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
