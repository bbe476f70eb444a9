//! A file from outside brought into the form in which this server stores tables: the declarations of types, and every
//! value in the stored form of its type.

use std::path::Path;

use dialect::{TableInfo, parse_create_table};
use pgtypes::{PgType, SqlValueRef};
use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

use crate::databases::functions::{self, Answer, NoSession};
use crate::databases::values::{self, brought_in, quoted, row_number, shown};

/// What the table is called while it is made anew.
const NEW: &str = "eloqdb_restored";

/// Brings the file into form, as one transaction of SQLite's.
pub(super) fn normalise(path: &Path) -> Result<()> {
    let connection = Connection::open(path)?;
    functions::register(&connection, || NoSession)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.execute_batch(
        "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; PRAGMA synchronous = OFF; BEGIN",
    )?;
    for (name, sql) in values::tables(&connection)? {
        let Some(table) = parse_create_table(&sql) else {
            return Err(refused(format!(
                "the definition of table {name} can't be read"
            )));
        };
        register_stored(&connection, &table)?;
        let stored = dialect::stored_table(&sql, &quoted(NEW));
        match stored {
            Some(create) => rebuild(&connection, (&table, &sql), &create)?,
            None => rewrite(&connection, (&table, &sql))?,
        }
    }
    connection.execute_batch("COMMIT")
}

fn refused(message: String) -> Error {
    Error::UserFunctionError(message.into())
}

/// `eq_stored(value, place of the column, row)`: the stored form.
fn register_stored(connection: &Connection, table: &TableInfo) -> Result<()> {
    let name = table.name.clone();
    let columns: Vec<(String, Option<PgType>)> = table
        .columns
        .iter()
        .map(|column| (column.name.clone(), values::column_type(column)))
        .collect();
    let convert = move |context: &Context<'_>| {
        let place = usize::try_from(context.get::<i64>(1)?).unwrap_or(usize::MAX);
        let row = context.get::<Option<i64>>(2)?;
        let value = match context.get_raw(0) {
            ValueRef::Null => SqlValueRef::Null,
            ValueRef::Integer(number) => SqlValueRef::Integer(number),
            ValueRef::Real(number) => SqlValueRef::Real(number),
            ValueRef::Blob(bytes) => SqlValueRef::Blob(bytes),
            ValueRef::Text(bytes) => {
                std::str::from_utf8(bytes).map_or(SqlValueRef::Blob(bytes), SqlValueRef::Text)
            }
        };
        let Some((column, ty)) = columns.get(place) else {
            return Ok(Answer(value.to_owned()));
        };
        let Some(ty) = ty else {
            return Ok(Answer(value.to_owned()));
        };
        brought_in(value, ty).map(Answer).map_err(|error| {
            let row = row.map_or_else(String::new, |row| format!(", row {row}"));
            refused(format!(
                "table {name}, column {column}{row}: {} is no {ty} ({})",
                shown(value),
                error.message
            ))
        })
    };
    let flags = FunctionFlags::SQLITE_UTF8;
    connection.create_scalar_function("eq_stored", 3, flags, convert)
}

/// The stored columns with their places.
fn stored_columns(table: &TableInfo) -> Vec<(usize, String)> {
    let columns = table.columns.iter().enumerate();
    columns
        .filter(|(_, column)| !column.computed)
        .map(|(place, column)| (place, quoted(&column.name)))
        .collect()
}

/// The values alone, where the declarations are as they should be.
fn rewrite(connection: &Connection, (table, sql): (&TableInfo, &str)) -> Result<()> {
    let row = row_number(sql);
    for (place, column) in stored_columns(table) {
        let stored = format!("eq_stored({column}, {place}, {row})");
        connection.execute(
            &format!(
                "UPDATE {} SET {column} = {stored} WHERE {column} IS NOT NULL
                 AND (typeof({column}) <> typeof({stored}) OR {column} <> {stored} COLLATE BINARY)",
                quoted(&table.name)
            ),
            [],
        )?;
    }
    Ok(())
}

/// The table anew, under declarations that give its values their affinity and their order.
fn rebuild(connection: &Connection, (table, sql): (&TableInfo, &str), create: &str) -> Result<()> {
    let dependents: Vec<String> = {
        let mut statement = connection.prepare(
            "SELECT sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND tbl_name = ?1
             AND sql IS NOT NULL ORDER BY rowid",
        )?;
        let rows = statement.query_map([&table.name], |row| row.get(0))?;
        rows.collect::<Result<_>>()?
    };
    let columns = stored_columns(table);
    let names: Vec<&str> = columns.iter().map(|(_, name)| name.as_str()).collect();
    let row = row_number(sql);
    let stored: Vec<String> = columns
        .iter()
        .map(|(place, name)| format!("eq_stored({name}, {place}, {row})"))
        .collect();
    let name = quoted(&table.name);
    connection.execute_batch(create)?;
    connection.execute(
        &format!(
            "INSERT INTO {} ({}) SELECT {} FROM {name}",
            quoted(NEW),
            names.join(", "),
            stored.join(", ")
        ),
        [],
    )?;
    connection.execute_batch(&format!(
        "DROP TABLE {name}; ALTER TABLE {} RENAME TO {name}",
        quoted(NEW)
    ))?;
    dependents
        .iter()
        .try_for_each(|text| connection.execute_batch(text))
}

/// A value as the refusal has it.
pub(super) fn reason(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::UserFunctionError(message) => message.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(sql: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("from_outside.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        (directory, path)
    }

    #[test]
    fn values_of_another_program_come_into_their_stored_form() {
        let (_directory, path) = file(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, price NUMERIC(10,2), day DATE, done BOOLEAN, name TEXT);
             CREATE UNIQUE INDEX t_price ON t (price);
             INSERT INTO t VALUES (1, 1.5, '2000-01-03', 'true', 'a'), (2, 20, '2000-01-02', 0, NULL);",
        );
        normalise(&path).unwrap();
        let connection = Connection::open(&path).unwrap();
        functions::register(&connection, || NoSession).unwrap();
        assert_eq!(values::strays(&connection, 10).unwrap(), []);
        let row: (String, i64, i64) = connection
            .query_row("SELECT price, day, done FROM t WHERE id = 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(row, ("1.50".to_owned(), 2, 1));
        // In the order of numbers, under the new declaration.
        let first: i64 = connection
            .query_row("SELECT id FROM t ORDER BY price LIMIT 1", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(first, 1);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        let (_directory, path) = file(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, day DATE); INSERT INTO t VALUES (7, 'some day');",
        );
        let refused = reason(&normalise(&path).unwrap_err());
        assert!(
            refused.contains("table t, column day, row 7: text 'some day' is no date"),
            "{refused}"
        );
    }
}
